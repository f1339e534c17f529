public import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// Hides what fields hold.
public final class MaskField: PartTransform {
    public static let name = "MaskField"
    public static let className: String? = connectPackage + "MaskField"
    public static let summary = "Hides what fields hold, behind nothing or a replacement."
    public static let configuration = ConfigSpec()
        .with(fieldsKey).with(replacementKey).with(FieldSyntax.key).with(NullDefaults.key)

    private static let fieldsKey = ConfigKey<[String]>.list(
        "fields",
        isRequired: true,
        importance: .high,
        help: """
            The fields. Without a `replacement` a number becomes 0, a text empty, a truth value \
            `false`, a date or time that of 1970-01-01T00:00:00Z, an array or object empty. Null and \
            absent fields stay so, and so do tombstones.
            """
    )
    private static let replacementKey = ConfigKey<String?>.optional(
        "replacement",
        help: """
            What texts and numbers become instead. A number for numbers, cut off where the field \
            has whole ones; records with other values in the fields are rejected.
            """,
        validator: { $0.isEmpty ? "must not be empty" : nil }
    )

    private let part: RecordPart
    private let paths: [(path: FieldPath, leaf: Bool)]
    private let replacement: MaskReplacement?
    /// An array and an object without anything in them.
    private let empty = Chunk(copying: "[]{}".utf8)
    private var derived = DerivedSchema<FieldChanges<Bool>>()

    public init(configuration: Configuration, part: RecordPart) throws(ConnectorError) {
        self.part = part
        let syntax = try configuration.get(FieldSyntax.key)
        let names = try configuration.get(Self.fieldsKey)
        paths = try syntax.paths(names, key: "fields").map { ($0, true) }
        replacement = try configuration.get(Self.replacementKey).map { MaskReplacement($0) }
    }

    public func trace(_ outline: inout RecordOutline) {
        for (path, _) in paths {
            outline.need(path.steps, of: part, at: Self.fieldsKey.declaration.name)
        }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard let schema = batch.fields(of: part, for: Self.self) else { return }
        let changes = try derived.plan(for: schema) { schema throws(ConnectorError) in
            FieldChanges(paths, in: schema) { field, _ in field }
        }
        guard !changes.isEmpty else { return }
        if part == .value { batch.rawIsJSON = false }
        guard let replacement else {
            batch.retain(empty)
            let empties = UnsafeRawBufferPointer(empty.bytes)
            return changes.apply(to: batch, part, refusal: { path, _ in Self.refusal(path) }) {
                cell,
                _ in
                nothing(cell, empties)
            }
        }
        batch.retain(replacement.chunk)
        changes.apply(to: batch, part, refusal: { path, _ in Self.refusal(path) }) { cell, _ in
            replacement.cell(for: cell)
        }
    }

    /// What stands for nothing among values of a cell's kind.
    private func nothing(_ cell: Cell, _ empties: UnsafeRawBufferPointer) -> Cell {
        switch cell.tag {
        case .missing, .null: return cell
        case .bool: return .bool(false)
        case .int, .number: return .int(0)
        case .double: return .double(0)
        case .decimal: return .decimal(0, scale: cell.scale)
        case .date, .time, .localTimestamp: return Cell(tag: cell.tag)
        case .timestamp: return .timestamp(microseconds: 0)
        case .string, .bytes:
            return .slice(cell.tag, UnsafeRawBufferPointer(rebasing: cell.slice.prefix(0)))
        case .json:
            let isArray = cell.slice.first == UInt8(ascii: "[")
            return .slice(.json, UnsafeRawBufferPointer(rebasing: empties[isArray ? 0..<2 : 2..<4]))
        }
    }

    private static func refusal(_ path: FieldPath) -> ConnectorError {
        ConnectorError(
            .init("transform.mask"),
            .rejectRecord,
            "The field \(path) holds what the replacement cannot take the place of.",
            at: "replacement"
        )
    }
}

/// A replacement as text and, if it is one, as a number.
private struct MaskReplacement {
    let chunk: Chunk
    private let text: Cell
    private let number: Double?
    private let exact: Cell?

    init(_ replacement: String) {
        chunk = Chunk(copying: replacement.utf8)
        let bytes = UnsafeRawBufferPointer(chunk.bytes)
        text = .slice(.string, bytes)
        number = NumberText.double(bytes)
        exact = NumberText.parse(bytes)
    }

    /// The replacement as a value of the same kind; `nil` when there is none.
    func cell(for cell: Cell) -> Cell? {
        switch cell.tag {
        case .string: return text
        case .double: return number.map { .double($0) }
        case .decimal, .number: return exact
        case .int:
            if let exact, exact.tag == .int { return exact }
            return number.flatMap { Int64(exactly: $0.rounded(.towardZero)) }.map { .int($0) }
        default: return nil
        }
    }
}
