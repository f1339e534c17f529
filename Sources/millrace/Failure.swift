import ConnectorSDK
import JSONDocuments

/// What a command's exit code says.
enum ExitStatus: Int32 {
    case done = 0
    case failed = 1
    case configuration = 2
    case environment = 3

    init(_ kind: ConnectorError.Kind) {
        self =
            switch kind {
            case .runtime: .failed
            case .configuration: .configuration
            case .environment: .environment
            }
    }
}

/// Why a command could not do what it was asked to.
struct Failure: Error, CustomStringConvertible {
    var status: ExitStatus
    /// A stable identifier, such as `topics.not_found`.
    var code: String
    var message: String
    var hint: String?
    var key: String?

    init(_ status: ExitStatus, code: String, _ message: String, hint: String? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
    }

    init(_ error: ConnectorError) {
        status = ExitStatus(error.kind)
        code = error.code.rawValue
        message = error.message
        hint = error.hint
        key = error.configurationKey
    }

    /// A failure of a command that was given something it cannot take.
    static func usage(_ message: String, hint: String? = nil) -> Self {
        Self(.configuration, code: "cli.usage", message, hint: hint)
    }

    var description: String {
        let subject = key.map { "\($0): " } ?? ""
        let advice = hint.map { " \($0)" } ?? ""
        return "\(subject)\(message)\(advice)"
    }

    var document: JSONDocument { ["error": fields] }

    var fields: JSONDocument {
        [
            "code": .string(code), "message": .string(message), "hint": .optional(hint),
            "key": .optional(key),
        ]
    }
}
