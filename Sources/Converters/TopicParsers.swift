internal import JSONRecords

/// One parser for each topic, since the records of one topic predict nothing about another's.
///
/// A parser remembers the fields it has seen; shared between topics it would give the records of
/// one the fields of the other.
internal struct TopicParsers {
    private let scalarField: String
    private var parsers: [String: JSONRecordParser] = [:]
    private var last: (topic: String, parser: JSONRecordParser)?

    /// Makes parsers that put a record which is no object into `scalarField`.
    init(scalarField: String = JSONRecordParser.valueField) { self.scalarField = scalarField }

    /// The parser of a topic.
    subscript(topic: String) -> JSONRecordParser {
        mutating get {
            if let last, last.topic == topic { return last.parser }
            let parser = parsers[topic] ?? JSONRecordParser(scalarField: scalarField)
            parsers[topic] = parser
            last = (topic, parser)
            return parser
        }
    }
}
