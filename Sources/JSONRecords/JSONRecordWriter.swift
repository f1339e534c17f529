internal import CBytes
public import ConnectorSDK

/// Writes records as JSON objects, one after the other.
///
/// A missing field is left out, a null one is written. Numbers keep the digits they have: a decimal
/// its trailing zeros, a double the shortest text that reads back the same. Bytes become base64, a
/// date `2026-11-04`, a time `01:25:34.000001`, an instant `2026-11-04T01:25:34Z` or with its
/// zone's `+02:00`, a local timestamp the same without a zone. NaN, infinities and times that are
/// none are refused, never changed (D6); a writer whose schemas go with the records writes the first
/// two as texts, which a declared type restores. No output has a line break in it.
///
/// What is worked out for a schema is kept until another one comes: use one writer for values and
/// one for keys. One task uses a writer, so exclusive access is not checked for each record.
public final class JSONRecordWriter {
    private var prefixes: FieldPrefixes
    // What is in `prefixes`, without a reference to be counted for each record.
    @exclusivity(unchecked) private var schemaID: ObjectIdentifier
    @exclusivity(unchecked) private var slots: UnsafeMutablePointer<FieldPrefixes.Slot>
    @exclusivity(unchecked) private var columnCount: Int
    @exclusivity(unchecked) private var isWhole = true
    private let hasTypes: Bool

    /// Makes a writer.
    ///
    /// - Parameter hasTypes: whether readers know the types that schemas declare, so that
    ///   ``TypeRestorer``, or the column that a key goes to, gives back `"NaN"`, `"Infinity"` and `"-Infinity"` of a floating-point
    ///   field as what they were.
    public init(hasTypes: Bool = false) {
        self.hasTypes = hasTypes
        prefixes = FieldPrefixes(Schema.opaque)
        schemaID = ObjectIdentifier(prefixes.schema)
        slots = prefixes.slots
        columnCount = prefixes.count
    }

    /// Appends the value of a row: its text as it arrived where nothing changed it, the fields as
    /// an object, an opaque value as a JSON value of its own, a tombstone as `null`.
    ///
    /// - Throws: `json.inexpressible`, with nothing appended, when JSON has no such value.
    public func writeValue(
        _ batch: RecordBatch,
        row: Int,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        let metadata = batch.metadata(row)
        if metadata.pointee.isTombstone { return output.append("null") }
        if batch.rawIsJSON, metadata.pointee.rawLength > 0 {
            return output.append(metadata.pointee.raw)
        }
        if batch.schema.isOpaque {
            let cell = batch[row, 0]
            let start = output.count
            guard !JSONText.appendCell(cell, to: output) else { return }
            output.count = start
            throw Self.inexpressible(cell, field: nil)
        }
        try writeObject(batch.row(row), of: batch.schema, into: output)
    }

    /// Appends the cells of one record as an object, or the one that is the whole value.
    ///
    /// - Throws: `json.inexpressible`, with nothing appended, when JSON has no such value.
    public func writeObject(
        _ cells: UnsafePointer<Cell>,
        of schema: Schema,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        if ObjectIdentifier(schema) != schemaID { prepare(schema) }
        if isWhole { return try writeWhole(cells.pointee, of: schema, into: output) }
        let slots = slots
        let start = output.count
        var cursor = OutputCursor(output)
        for column in 0..<columnCount {
            let cell = cells[column]
            if cell.tag == .missing { continue }
            slots[column].write(to: &cursor)
            guard cursor.cell(cell) || spell(cell, schema.fields[column].type, &cursor) else {
                output.count = start
                throw Self.inexpressible(cell, field: schema.fields[column].name)
            }
        }
        cursor.ensure(2)
        cursor.put(UInt8(ascii: "}"))
        cursor.commit()
        // Each field begins with a comma; the first one's place is the brace's.
        if output.count == start + 1 {
            output.count = start
            output.append("{}")
        } else {
            (output.base + start).storeBytes(of: UInt8(ascii: "{"), as: UInt8.self)
        }
    }

    @inline(never)
    private func writeWhole(
        _ cell: Cell,
        of schema: Schema,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        let start = output.count
        var cursor = OutputCursor(output)
        cursor.ensure(OutputCursor.inlineBytes)
        guard cursor.cell(cell) || spell(cell, schema.fields[0].type, &cursor) else {
            output.count = start
            throw Self.inexpressible(cell, field: nil)
        }
        cursor.commit()
    }

    /// Writes the name of what is no number.
    @inline(never)
    private func spell(_ cell: Cell, _ type: FieldType, _ cursor: inout OutputCursor) -> Bool {
        guard hasTypes, cell.tag == .double, type == .double || type == .float else { return false }
        let value = Double(bitPattern: cell.bits)
        let text: StaticString =
            value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\""
        cursor.copy(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        return true
    }

    private func prepare(_ schema: Schema) {
        prefixes = FieldPrefixes(schema)
        schemaID = ObjectIdentifier(schema)
        slots = prefixes.slots
        columnCount = prefixes.count
        isWhole = schema.isWhole
    }

    private static func inexpressible(_ cell: Cell, field: String?) -> ConnectorError {
        let place = field.map { "The field `\($0)`" } ?? "The value"
        let reason =
            cell.tag == .double
            ? "is not a finite number, and JSON has no others."
            : "is outside of the range of dates and times."
        return ConnectorError(.inexpressibleInJSON, .rejectRecord, "\(place) \(reason)")
    }
}

extension ConnectorError.Code {
    /// A value that JSON has no text for, such as an infinity.
    public static let inexpressibleInJSON = Self("json.inexpressible")
}

/// The text before each value of a schema, `,"name":`, ready to be copied.
private final class FieldPrefixes {
    struct Slot {
        var start: UnsafeRawPointer
        var count: Int

        /// Copies whole words of 16 bytes and counts those that matter, and makes room for a value
        /// behind them.
        @inline(__always)
        func write(to cursor: inout OutputCursor) {
            cursor.ensure(count &+ OutputCursor.inlineBytes)
            cursor.next.copyMemory(from: start, byteCount: 16)
            if count > 16 {
                (cursor.next + 16).copyMemory(from: start + 16, byteCount: 16)
                if count > 32 { cursor.next.copyMemory(from: start, byteCount: count) }
            }
            cursor.next += count
        }
    }

    let schema: Schema
    let count: Int
    let slots: UnsafeMutablePointer<Slot>
    private let text = OutputBuffer(capacity: 1 << 10)

    init(_ schema: Schema) {
        self.schema = schema
        count = schema.count
        slots = .allocate(capacity: max(count, 1))
        var ends: [Int] = []
        for field in schema.fields {
            text.append(UInt8(ascii: ","))
            JSONText.appendString(field.name, to: text)
            text.append(UInt8(ascii: ":"))
            ends.append(text.count)
        }
        var start = 0
        for (column, end) in ends.enumerated() {
            slots[column] = Slot(start: UnsafeRawPointer(text.base + start), count: end - start)
            start = end
        }
    }

    deinit { slots.deallocate() }
}
