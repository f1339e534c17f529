import ConnectorSDK

extension ConnectorError.Code {
    /// A document is not well-formed XML.
    static let xmlMalformed = Self("xml.malformed")
    /// A document refers to an entity that XML itself does not define.
    static let xmlEntity = Self("xml.entity")
    /// A document is nested too deep.
    static let xmlLimit = Self("xml.limit")
    /// A document's root is not where `record.path` begins.
    static let xmlPath = Self("xml.record_path")
    /// A record is longer than `max.record.bytes`.
    static let xmlTooLong = Self("xml.record_too_long")
    /// A record cannot be written as XML.
    static let xmlInexpressible = Self("xml.inexpressible")
    /// There is no memory for a parser.
    static let xmlNoMemory = Self("xml.no_memory")
}

extension ConnectorError {
    static var xmlNoMemory: Self {
        Self(.xmlNoMemory, .failTask, "There is no memory for the XML parser.", kind: .environment)
    }

    /// What ended a document.
    static func xml(_ settings: XMLSettings, _ parser: XMLParserHandle) -> Self? {
        guard let failure = parser.failure else { return nil }
        let place = "line \(failure.line), column \(failure.column)"
        switch failure.reason {
        case .malformed(let message):
            // libxml2 says so of bytes that are cut short where a piece of input ends.
            let isVague = message.isEmpty || message.hasPrefix("internal error")
            let reason = isVague ? "; perhaps its encoding is not what it declares" : ": \(message)"
            return Self(
                .xmlMalformed,
                .rejectRecord,
                "The document is not well-formed XML at \(place)\(reason)."
            )
        case .entity(let name):
            return Self(
                .xmlEntity,
                .rejectRecord,
                "The document refers to the entity `\(name)` at \(place).",
                hint:
                    "Only the entities of XML itself (&amp; &lt; &gt; &quot; &apos;) are resolved."
            )
        case .tooDeep:
            return Self(
                .xmlLimit,
                .rejectRecord,
                "Elements are nested deeper than \(settings.maxDepth) at \(place).",
                at: "max.depth"
            )
        case .noMemory:
            return .xmlNoMemory
        }
    }

    static func xmlTooLong(line: Int64, byte: Int64?, limit: Int) -> Self {
        let place = byte.map { "line \(line), byte \($0)" } ?? "line \(line)"
        return Self(
            .xmlTooLong,
            .rejectRecord,
            "The record at \(place) is longer than \(Units.describe(bytes: limit)).",
            at: "max.record.bytes"
        )
    }

    static func xmlRoot(_ name: String, _ expected: String) -> Self {
        Self(
            .xmlPath,
            .failTask,
            "The root element is `\(name)`, and the path begins with `\(expected)`.",
            at: "record.path"
        )
    }
}
