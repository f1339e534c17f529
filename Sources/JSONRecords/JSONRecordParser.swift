internal import CBytes
public import ConnectorSDK

/// Reads JSON records into the rows of a batch, strictly as RFC 8259 has it.
///
/// All records of a batch share one schema, the union of their fields: a record may lack some, and
/// a new field widens it. Each record's own order of fields is kept, so a record whose order
/// contradicts the schema cannot join: the batch is cut before it (``Outcome/conflict``). Schemas
/// are remembered from batch to batch, so that equal records give the same `Schema` object.
///
/// An object's fields become cells: integers of 64 bits and decimals of up to 18 digits inline,
/// other numbers as written, strings unescaped, objects and arrays as text. Of fields with the same
/// name the last counts, at the place of the first. A record that is no object becomes one field,
/// ``valueField``. Slices point into the text, which the caller keeps alive, or into the arena.
///
/// One parser serves one stream, in one task: exclusive access is not checked. It predicts each key from the schema and compares bytes; only
/// where that fails does it look names up, and only where that fails does it parse the record
/// again, slowly, which also finds the place of an error.
public final class JSONRecordParser {
    /// The field that holds a record which is no object.
    public static let valueField = "value"

    /// What became of a record.
    public enum Outcome: Equatable {
        /// It is a row.
        case parsed
        /// It is valid, but its fields need another schema: nothing was changed.
        case conflict
        /// It is refused: nothing was changed.
        case invalid(JSONSyntaxError)
    }

    @exclusivity(unchecked) internal var shape = RecordShape(Schema([Field]()))
    @exclusivity(unchecked) internal var tape = RecordTape()
    internal var recent: [RecordShape] = []
    internal let scalarField: String
    /// Whether the text parsed last may have a line break in it, between its tokens.
    @exclusivity(unchecked) public internal(set) var mayHaveLineBreak = false

    /// Makes a parser.
    ///
    /// - Parameter scalarField: the field that holds a record which is no object.
    public init(scalarField: String = JSONRecordParser.valueField) {
        self.scalarField = scalarField
    }

    /// Gives a batch the columns that the records are expected to have.
    ///
    /// The batch has no values yet: it is empty, or its values are opaque. The columns are those
    /// of `schema` when they are known, else those of the last batch.
    public func begin(_ batch: RecordBatch, schema: Schema? = nil) {
        if let schema {
            if schema !== shape.schema { shape = RecordShape(schema) }
        } else if shape.count > max(256, 2 * tape.lastFieldCount) {
            // Records with ever new fields would otherwise widen the batches for ever (D7).
            shape = RecordShape(Schema([Field]()))
        }
        batch.replaceValues(with: shape.schema)
    }

    /// Parses a record as a new row, and notes its text as ``RecordMetadata/raw``.
    ///
    /// Behind the text ``Chunk/padding`` bytes may be read. `isValidUTF8` says that the caller has
    /// checked that already.
    public func append(
        _ text: UnsafeRawBufferPointer,
        isValidUTF8: Bool = false,
        to batch: RecordBatch
    ) -> Outcome {
        if batch.schema !== shape.schema { adopt(batch) }
        let row = batch.appendRow()
        let outcome = parse(text, isValidUTF8: isValidUTF8, into: batch, row: row)
        switch outcome {
        case .parsed: batch.metadata(row).pointee.raw = text
        case .conflict, .invalid: batch.removeLast()
        }
        return outcome
    }

    /// Parses a record into a row whose cells are all missing.
    ///
    /// Only row 0 may replace the batch's columns; others widen them or are in conflict.
    public func parse(
        _ text: UnsafeRawBufferPointer,
        isValidUTF8: Bool = false,
        into batch: RecordBatch,
        row: Int
    ) -> Outcome {
        guard let start = text.bindMemory(to: UInt8.self).baseAddress else {
            return .invalid(JSONSyntaxError(.unexpectedEnd, at: 0))
        }
        if !isValidUTF8, let offset = UTF8Check.firstInvalid(text) {
            return .invalid(JSONSyntaxError(.invalidUTF8, at: offset))
        }
        if batch.schema !== shape.schema { adopt(batch) }
        let reading = RecordReading(to: start + text.count, batch: batch, shape: shape)
        let result = reading.object(at: start, into: batch.row(row))
        mayHaveLineBreak = result != .read
        if result != .refused { return .parsed }
        return parseSlowly(start, to: start + text.count, into: batch, row: row)
    }

    /// Follows columns that somebody else gave the batch.
    private func adopt(_ batch: RecordBatch) {
        if batch.count == 0 { return begin(batch) }
        remember(shape)
        shape = RecordShape(batch.schema)
    }

    internal func remember(_ old: RecordShape) {
        guard old.count > 0 else { return }
        recent.removeAll { $0 === old }
        recent.insert(old, at: 0)
        if recent.count > 8 { recent.removeLast() }
    }
}

/// Finds bytes that are not UTF-8.
internal enum UTF8Check {
    /// The offset of the first byte that is not UTF-8, or `nil`.
    @inline(__always)
    static func firstInvalid(_ text: UnsafeRawBufferPointer) -> Int? {
        guard let start = text.baseAddress, mr_json_is_ascii(start, text.count) == 0 else {
            return nil
        }
        return firstInvalidBeyondASCII(text)
    }

    @inline(never)
    private static func firstInvalidBeyondASCII(_ text: UnsafeRawBufferPointer) -> Int? {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: text.bindMemory(to: UInt8.self).span)
            return nil
        } catch {
            return error.byteOffsets.lowerBound
        }
    }
}

extension JSONRecordParser {
    /// Whether a stretch of text is valid UTF-8, for callers that check many records at once.
    public static func isValidUTF8(_ text: UnsafeRawBufferPointer) -> Bool {
        text.isEmpty || UTF8Check.firstInvalid(text) == nil
    }

    /// The offset of the first byte of a text that is not UTF-8; `nil` when all of it is.
    public static func firstInvalidUTF8(_ text: UnsafeRawBufferPointer) -> Int? {
        UTF8Check.firstInvalid(text)
    }
}

extension JSONRecordParser {
    /// Whether a text is a JSON string that means `utf8`, whichever way it is escaped.
    ///
    /// The text is in quotes and has ``Chunk/padding`` readable bytes behind it.
    public static func string(_ text: UnsafeRawBufferPointer, equals utf8: [UInt8]) -> Bool {
        guard let start = text.bindMemory(to: UInt8.self).baseAddress, text.count >= 2 else {
            return false
        }
        var scanner = JSONScanner(from: start, to: start + text.count)
        guard scanner.scalar(), scanner.at == scanner.end, start[0] == UInt8(ascii: "\"") else {
            return false
        }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: text.count) { room in
            guard let target = room.baseAddress else { return false }
            let count = EscapedText.decode(start + 1, to: scanner.end - 1, into: target)
            return room.prefix(count).elementsEqual(utf8)
        }
    }
}
