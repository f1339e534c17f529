public import ConnectorSDK
internal import Glibc

/// Gives the cells of parsed JSON the types that a schema declares.
///
/// What ``JSONRecordWriter`` wrote for a value of the type becomes that value again.
public final class TypeRestorer {
    /// The schema.
    public let schema: Schema
    private let columns: [(column: Int, type: FieldType)]
    private let scratch = OutputBuffer(capacity: 1 << 10)

    /// Makes a restorer of a schema's types.
    public init(_ schema: Schema) {
        self.schema = schema
        columns = schema.fields.enumerated().compactMap { column, field in
            switch field.type {
            case .float, .double, .bytes, .json, .date, .time, .timestamp, .localTimestamp:
                (column, field.type)
            // The others read back as what they were.
            case .any, .bool, .int16, .int32, .int64, .decimal, .string, .uuid, .object: nil
            }
        }
    }

    /// Whether no column needs anything done.
    public var isTrivial: Bool { columns.isEmpty }

    /// Restores one row.
    ///
    /// - Returns: the name of a field that is not what the schema says, or `nil`.
    public func restore(_ batch: RecordBatch, row: Int) -> String? {
        let cells = batch.row(row)
        for (column, type) in columns where !cells[column].isNil {
            guard let cell = restore(cells[column], as: type, batch) else {
                return schema.fields[column].name
            }
            cells[column] = cell
        }
        return nil
    }

    /// The cell that parsed JSON means in a column of `type`; `nil` when it means none.
    public func restore(_ cell: Cell, as type: FieldType, _ batch: RecordBatch) -> Cell? {
        switch type {
        case .float, .double: return number(cell).map { .double($0) }
        case .bytes: return cell.tag == .string ? bytes(cell.slice, batch) : nil
        case .json: return json(cell, batch)
        case .date, .time, .timestamp, .localTimestamp: return time(cell, type)
        default: return cell
        }
    }

    /// The time that a text means; PostgreSQL's times beyond all others stay text.
    private func time(_ cell: Cell, _ type: FieldType) -> Cell? {
        guard cell.tag == .string else { return nil }
        if let time = TimeText.cell(cell.slice, as: type) { return time }
        let isInfinite = Self.is(cell, "infinity") || Self.is(cell, "-infinity")
        return isInfinite && type != .time || isFar(cell) ? cell : nil
    }

    /// Whether a text is a time of the years 294247 to 294276, which PostgreSQL has, and which a
    /// number of microseconds since 1970 cannot say.
    private func isFar(_ cell: Cell) -> Bool {
        let text = cell.slice
        return text.count >= 26 && text.starts(with: "2942".utf8)
            && text[6] == UInt8(ascii: "-") && text[text.count - 1] != UInt8(ascii: "-")
    }

    private static func `is`(_ cell: Cell, _ text: StaticString) -> Bool {
        cell.slice.elementsEqual(
            UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        )
    }

    /// The double that a number's text means, rounded correctly.
    private func number(_ cell: Cell) -> Double? {
        switch cell.tag {
        case .double: return Double(bitPattern: cell.bits)
        case .int where cell.int64.magnitude < 1 << 53: return Double(cell.int64)
        case .int, .decimal, .number:
            scratch.count = 0
            JSONText.appendCell(cell, to: scratch)
            scratch.append(0)
            return strtod(scratch.base.assumingMemoryBound(to: CChar.self), nil)
        case .string:
            if Self.is(cell, "NaN") { return .nan }
            if Self.is(cell, "Infinity") { return .infinity }
            return Self.is(cell, "-Infinity") ? -.infinity : nil
        default: return nil
        }
    }

    private func bytes(_ text: UnsafeRawBufferPointer, _ batch: RecordBatch) -> Cell? {
        let room = batch.arena.allocate(text.count)
        guard let count = Base64.decode(text, to: room) else { return nil }
        batch.arena.giveBack(text.count - count)
        return .slice(.bytes, UnsafeRawBufferPointer(start: room, count: count))
    }

    /// A JSON column holds the text of any value, so strings and numbers become text again.
    private func json(_ cell: Cell, _ batch: RecordBatch) -> Cell? {
        if cell.tag == .json { return cell }
        scratch.count = 0
        JSONText.appendCell(cell, to: scratch)
        return .slice(.json, batch.arena.copy(scratch.bytes))
    }
}
