/// One thing that is wrong with a pipeline file, with its place.
public struct Finding: Hashable, Sendable, CustomStringConvertible {
    /// Whether the pipeline can run all the same.
    public enum Severity: String, Sendable {
        /// It cannot.
        case error
        /// It can, but probably does not do what was meant.
        case warning
    }

    /// The file, as it was named on the command line.
    public var file: String
    /// The place, or `nil` when the file as a whole is at fault.
    public var mark: Mark?
    /// The path of the key, such as `sources.inbox.topic`; empty when no key is at fault.
    public var key: String
    /// What is wrong and what to do, to be read after the key.
    public var message: String
    /// The word that was perhaps meant.
    public var suggestion: String?
    /// Whether the pipeline can run all the same.
    public var severity: Severity

    /// Makes a finding.
    public init(
        file: String,
        mark: Mark?,
        key: String = "",
        message: String,
        suggestion: String? = nil,
        severity: Severity = .error
    ) {
        self.file = file
        self.mark = mark
        self.key = key
        self.message = message
        self.suggestion = suggestion
        self.severity = severity
    }

    /// The form compilers use, which editors can jump to: `file:line:column: error: key: message`.
    public var description: String {
        let place = mark.map { "\(file):\($0.line):\($0.column)" } ?? file
        let subject = key.isEmpty ? "" : "\(key): "
        let advice = suggestion.map { " (did you mean \"\($0)\"?)" } ?? ""
        return "\(place): \(severity.rawValue): \(subject)\(message)\(advice)"
    }
}
