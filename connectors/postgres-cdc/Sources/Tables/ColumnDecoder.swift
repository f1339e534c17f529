internal import ChangeCapture
internal import ConnectorSDK
internal import JSONRecords
internal import PostgresRecords

/// Makes cells of one column's values, as the configuration wants them.
internal struct ColumnDecoder {
    private enum Form {
        case plain(CellDecoder)
        /// An interval, as microseconds.
        case intervalMicroseconds
        /// An hstore as a JSON object, or as the text of one.
        case hstore(isText: Bool)
    }

    private let form: Form
    /// Texts may be anything, in databases whose encoding is none.
    private let checksText: Bool
    /// What a schema says of the column.
    internal let fieldType: FieldType
    internal let nativeType: String?
    internal let secondsPrecision: Int
    /// Whether values can be asked for in binary form.
    internal let hasBinary: Bool

    internal init(_ type: ColumnType, _ settings: CaptureSettings, checksText: Bool) {
        self.checksText = checksText
        secondsPrecision = type.secondsPrecision
        let name = type.nativeType?.split(separator: ".").last ?? ""
        switch name {
        case _ where settings.intervalMode == .numeric && Self.isInterval(type):
            form = .intervalMicroseconds
            (fieldType, nativeType, hasBinary) = (.int64, nil, false)
        case "hstore" where settings.hstoreMode != .text:
            form = .hstore(isText: settings.hstoreMode == .json)
            fieldType = settings.hstoreMode == .json ? .string : .json
            (nativeType, hasBinary) = (nil, false)
        default:
            form = .plain(CellDecoder(type))
            (fieldType, nativeType) = (type.fieldType, type.nativeType)
            hasBinary = type.kind.hasBinary
        }
    }

    /// Whether a column is declared `interval`, `interval(3)` or `interval year to month`.
    private static func isInterval(_ type: ColumnType) -> Bool {
        // What is in a schema, or is an array, is another type.
        let name = type.nativeType?.split(separator: ".", maxSplits: 1).last ?? ""
        return !name.hasSuffix("]")
            && (name == "interval" || name.hasPrefix("interval ") || name.hasPrefix("interval("))
    }

    /// Reads the server's text; `nil` when it is no value of the type.
    @inline(__always)
    internal func cell(text: UnsafeRawBufferPointer, _ arena: inout Arena) -> Cell? {
        if checksText, !JSONRecordParser.isValidUTF8(text) { return nil }
        if case .plain(let decoder) = form { return decoder.cell(text: text, &arena) }
        return special(text, &arena)
    }

    /// Reads what a COPY in binary form has: the type's binary form, or its text where it has none.
    internal func cell(copied bytes: UnsafeRawBufferPointer, _ arena: inout Arena) -> Cell? {
        guard hasBinary, case .plain(let decoder) = form else {
            return cell(text: bytes, &arena)
        }
        let cell = decoder.cell(binary: bytes, &arena)
        guard checksText, let cell, cell.tag == .string || cell.tag == .json else { return cell }
        return JSONRecordParser.isValidUTF8(cell.slice) ? cell : nil
    }

    private func special(_ text: UnsafeRawBufferPointer, _ arena: inout Arena) -> Cell? {
        switch form {
        case .plain(let decoder): decoder.cell(text: text, &arena)
        case .intervalMicroseconds: IntervalText.microseconds(text).map { .int($0) }
        case .hstore(let isText):
            HstoreText.json(text).map { bytes in
                bytes.withUnsafeBytes { .slice(isText ? .string : .json, arena.copy($0)) }
            }
        }
    }
}
