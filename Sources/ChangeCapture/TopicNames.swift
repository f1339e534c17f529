internal import ConnectorSDK

/// Names of topics, as Kafka allows them.
internal enum TopicNames {
    /// Kafka's limit.
    private static let lengthLimit = 249

    /// What is wrong with a part of a name; `nil` when nothing is.
    static func problem(inPrefix text: String) -> String? {
        guard !text.isEmpty, text.utf8.count <= 128 else { return "must have 1 to 128 characters" }
        return text.utf8.allSatisfy(isAllowed)
            ? nil : "must consist of letters, digits, `.`, `_` and `-`"
    }

    /// The topic of a table: what a topic's name may not have becomes `_`.
    static func name(_ parts: [String], delimiter: String) -> String {
        let bytes = parts.joined(separator: delimiter).utf8.prefix(lengthLimit).map { byte in
            isAllowed(byte) ? byte : UInt8(ascii: "_")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
