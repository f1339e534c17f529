import ConnectorSDK
import JSONRecords

/// What an offset of a source looks like, without its numbers and texts.
///
/// Only the connector knows what an offset means; that one which a person writes looks like those
/// that the connector wrote is as much as can be known without it.
struct OffsetShape: Equatable {
    enum Kind: String {
        case integer = "a whole number"
        case number = "a number"
        case string = "text"
        case boolean = "true or false"
        case nested = "an object or array"
        case null = "null"
    }

    /// The fields of an object, or the kind of anything else under an empty name.
    private let fields: [String: Kind]
    private let isObject: Bool

    /// Looks at an offset; one that is not JSON is text.
    init(_ offset: String) {
        let batch = RecordBatch()
        let text = Chunk(copying: Array(offset.utf8))
        batch.retain(text)
        let parser = JSONRecordParser(scalarField: "")
        parser.begin(batch)
        guard parser.append(UnsafeRawBufferPointer(text.bytes), to: batch) == .parsed else {
            isObject = false
            fields = ["": .string]
            return
        }
        isObject = offset.first { !$0.isWhitespace } == "{"
        var fields: [String: Kind] = [:]
        for (column, name) in batch.schema.names.enumerated() {
            fields[name] = Self.kind(of: batch[0, column])
        }
        self.fields = fields
    }

    private static func kind(of cell: Cell) -> Kind? {
        switch cell.tag {
        case .missing: nil
        case .null: .null
        case .bool: .boolean
        case .int: .integer
        case .decimal, .number, .double: .number
        case .json: .nested
        default: .string
        }
    }

    /// What keeps an offset from being taken for one of this shape, or `nil`.
    func problem(with other: OffsetShape) -> String? {
        guard isObject == other.isObject else {
            return isObject ? "it must be a JSON object" : "it must not be a JSON object"
        }
        for (name, kind) in fields.sorted(by: { $0.key < $1.key }) {
            let subject = name.isEmpty ? "it" : "`\(name)`"
            guard let found = other.fields[name] else { return "\(subject) is missing" }
            // What is null here may be anything there, and the reverse.
            if found != kind, found != .null, kind != .null {
                return "\(subject) must be \(kind.rawValue)"
            }
        }
        return other.fields.keys.sorted().first { fields[$0] == nil }.map { "`\($0)` is unknown" }
    }
}
