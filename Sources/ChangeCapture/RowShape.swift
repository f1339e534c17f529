internal import ConnectorSDK
internal import JSONRecords

/// The fields of the rows before or after changes of one table, and how they become JSON.
///
/// Most databases enforce the types of columns. For one that does not, the types follow the
/// values: a column whose values are not of its type has none from then on, and bytes, which need
/// one to survive a topic, theirs.
internal final class RowShape {
    private static let always = bit(.null) | bit(.missing)

    private(set) var fields: [Field]
    private(set) var schema: Schema
    /// For each field the tags of cells that fit; empty when types are enforced.
    private var allowed: [UInt16] = []
    private var known: [[FieldType]: Schema] = [:]
    private let writer = JSONRecordWriter(hasTypes: true)

    init(_ fields: [Field], enforcesTypes: Bool) {
        self.fields = fields
        schema = Schema(fields)
        if !enforcesTypes {
            allowed = fields.map { Self.allowed($0.type) }
            known[fields.map(\.type)] = schema
        }
    }

    /// Whether types follow values.
    var isLoose: Bool { !allowed.isEmpty }

    /// Gives the fields types under which these values survive.
    ///
    /// - Returns: whether ``schema`` is another one now.
    func admit(_ cells: UnsafePointer<Cell>) -> Bool {
        var changed = false
        for index in 0..<allowed.count {
            let cell = cells[index]
            if allowed[index] & Self.mask(cell) != 0 { continue }
            fields[index].type = Self.type(for: cell)
            fields[index].nativeType = nil
            allowed[index] = Self.allowed(fields[index].type)
            changed = true
        }
        guard changed else { return false }
        let types = fields.map(\.type)
        if let schema = known[types] {
            self.schema = schema
        } else {
            schema = Schema(fields)
            known[types] = schema
        }
        return true
    }

    /// Appends a row as a JSON object.
    @inline(__always)
    func write(
        _ cells: UnsafePointer<Cell>,
        to output: OutputBuffer
    ) throws(ConnectorError) {
        try writer.writeObject(cells, of: schema, into: output)
    }

    private static func type(for cell: Cell) -> FieldType {
        switch cell.tag {
        case .bytes: .bytes
        case .double where mask(cell) == infinite: .double
        default: .any
        }
    }

    /// Stands for numbers that JSON does not have, which only a type tells from text.
    private static let infinite: UInt16 = 1 << 15

    private static func mask(_ cell: Cell) -> UInt16 {
        cell.tag == .double && !Double(bitPattern: cell.bits).isFinite ? infinite : bit(cell.tag)
    }

    private static func bit(_ tag: Cell.Tag) -> UInt16 { 1 << UInt16(tag.rawValue) }

    private static func allowed(_ type: FieldType) -> UInt16 {
        switch type {
        case .bool: always | bit(.bool)
        case .int16, .int32, .int64: always | bit(.int)
        case .float, .double: always | bit(.double) | infinite
        case .string, .uuid: always | bit(.string)
        case .bytes: always | bit(.bytes)
        case .decimal:
            always | bit(.decimal) | bit(.number) | bit(.int)
        default:
            always | bit(.int) | bit(.double) | bit(.string) | bit(.decimal) | bit(.number)
        }
    }
}
