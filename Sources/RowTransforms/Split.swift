public import ConnectorSDK
internal import RecordFields

/// Makes a record of each part of a text.
public final class Split: Transform {
    public static let name = "Split"
    public static let summary = "Makes a record of each part of a text, such as its lines."
    public static let configuration = ConfigSpec()
        .with(fieldKey).with(FieldSyntax.key).with(delimiterKey).with(emptyKey).with(limitKey)

    private static let fieldKey = ConfigKey<String?>.optional(
        "field",
        importance: .high,
        help: """
            The field that holds the text. Without it the value itself is the text. Each record has \
            all other fields, the key, the headers and the timestamp, and one part.
            """
    )
    private static let delimiterKey = ConfigKey.string(
        "delimiter",
        default: "\\n",
        help: """
            What stands between the parts. `\\n` is the end of a line, with or without a carriage \
            return; `\\t` is a tab.
            """,
        validator: { $0.isEmpty ? "must not be empty" : nil }
    )
    private static let emptyKey = ConfigKey.bool(
        "keep.empty",
        default: false,
        help: """
            Whether parts without a character become records, too. If not, a text without any part \
            makes no record.
            """
    )
    private static let limitKey = ConfigKey.int(
        "max.records",
        default: 10_000,
        in: 1...1_000_000,
        importance: .low,
        help: "A record whose text has more parts is rejected."
    )

    private let path: FieldPath?
    private let delimiter: [UInt8]
    private let isLineEnd: Bool
    private let keepsEmpty: Bool
    private let limit: Int
    private var derived = DerivedSchema<FieldPlace?>()
    private var spread = RowSpread()

    public init(configuration: Configuration) throws(ConnectorError) {
        let syntax = try configuration.get(FieldSyntax.key)
        path = try configuration.get(Self.fieldKey).map { text throws(ConnectorError) in
            try FieldPath(text, syntax: syntax, key: "field")
        }
        if let path, path.isNested {
            throw .invalid("field", "The text must not be inside of an object.")
        }
        let text = try configuration.get(Self.delimiterKey)
        isLineEnd = text == "\\n" || text == "\n"
        delimiter = Array((isLineEnd ? "\n" : text == "\\t" ? "\t" : text).utf8)
        keepsEmpty = try configuration.get(Self.emptyKey)
        limit = try configuration.get(Self.limitKey)
    }

    public func trace(_ outline: inout RecordOutline) {
        if let path { outline.need(path.steps, at: Self.fieldKey.declaration.name) }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        throw ConnectorError(
            .init("transform.several_batches"),
            .failTask,
            "The parts of a batch go into batches of their own."
        )
    }

    public func split(_ batch: RecordBatch) throws(ConnectorError) -> [RecordBatch] {
        guard batch.count > 0 else { return [batch] }
        let place = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            path.flatMap { FieldPlace($0, in: schema) }
        }
        spread.removeAll()
        var rejected: [(row: Int, error: ConnectorError)] = []
        let column = path == nil && batch.schema.isOpaque ? 0 : place?.column
        for row in batch.indices {
            if batch.metadata(row).pointee.isTombstone {
                spread.append(row, .missing, at: -1)
            } else if let problem = parts(of: row, batch, column) {
                rejected.append((row, error(problem)))
            }
        }
        let result = spread.batches(of: batch) { part, row, cell, position in
            if let column, position >= 0 { part[row, column] = cell }
        }
        batch.reject(rejected)
        return result
    }

    private func parts(of row: Int, _ batch: RecordBatch, _ column: Int?) -> String? {
        guard let column else {
            return path.map { "The record has no field \($0)." }
                ?? "The record has fields, so the one that holds the text must be named."
        }
        let cell = batch[row, column]
        guard cell.tag == .string || cell.tag == .bytes else {
            return cell.isNil ? "There is no text." : "The value is no text."
        }
        var rest = cell.slice[...]
        var count: Int64 = 0
        while true {
            let end = next(in: rest) ?? rest.endIndex
            var part = rest[..<end]
            if isLineEnd, part.last == 0x0D { part = part.dropLast() }
            // A line end at the end ends the last line, and begins none.
            let isBehindLast = isLineEnd && end == rest.endIndex && part.isEmpty
            if !part.isEmpty || (keepsEmpty && !isBehindLast) {
                guard count < limit else {
                    spread.remove(row)
                    return "The text has too many parts."
                }
                spread.append(row, .slice(cell.tag, .init(rebasing: part)), at: count)
                count += 1
            }
            guard end < rest.endIndex else { return nil }
            rest = rest[(end + delimiter.count)...]
        }
    }

    private func next(in text: Slice<UnsafeRawBufferPointer>) -> Int? {
        var from = text.startIndex
        while let start = text[from...].firstIndex(of: delimiter[0]) {
            if text[start...].starts(with: delimiter) { return start }
            from = start + 1
        }
        return nil
    }

    private func error(_ message: String) -> ConnectorError {
        ConnectorError(.init("transform.split"), .rejectRecord, message, at: "field")
    }
}
