/// One record, as transforms that are written record by record see it.
///
/// It must not be kept after the call that it was given to.
@frozen
public struct RecordView {
    @usableFromInline internal unowned(unsafe) let batch: RecordBatch
    @usableFromInline internal unowned(unsafe) let lookup: FieldLookup
    /// The record's row in its batch.
    public let row: Int

    @inlinable @inline(__always)
    internal init(_ batch: RecordBatch, _ row: Int, _ lookup: FieldLookup) {
        self.batch = batch
        self.lookup = lookup
        self.row = row
    }

    /// A field of the value; one that the record does not have is missing.
    ///
    /// The name is a literal: it is looked up once for a batch, and told by its address then.
    @inlinable
    public subscript(name: StaticString) -> FieldView {
        let column = lookup.column(name, in: batch)
        return FieldView(column < 0 ? .missing : batch[row, column])
    }

    /// A field whose name is known only when the program runs; slower.
    public subscript(named name: String) -> FieldView {
        guard let column = batch.schema.index(of: name) else { return FieldView(.missing) }
        return FieldView(batch[row, column])
    }

    /// Sets a field; one that the batch does not have yet is added behind the others.
    public func set(_ name: StaticString, _ value: Value) {
        let column = lookup.column(name, in: batch)
        guard column < 0 else {
            batch[row, column] = batch.makeCell(value)
            return
        }
        batch.set(row, name.description, value)
        lookup.forget()
    }

    /// The topic it goes to or comes from.
    public var topic: String { batch.topic }

    /// Its time in milliseconds since the epoch; `nil` when it has none.
    @inlinable public var timestamp: Int64? {
        let timestamp = batch.metadata(row).pointee.timestamp
        return timestamp == RecordMetadata.noTimestamp ? nil : timestamp
    }
}

/// A field of a record, copied out only as far as it is asked for.
///
/// Comparisons do not allocate. A number is compared as the nearest `Double`; what is no number is
/// neither more nor less than any.
@frozen
public struct FieldView {
    /// The cell itself.
    public let cell: Cell

    @inlinable @inline(__always)
    internal init(_ cell: Cell) { self.cell = cell }

    /// Whether the field is absent or null.
    @inlinable public var isNil: Bool { cell.isNil }

    /// Whether the record does not have the field.
    @inlinable public var isMissing: Bool { cell.tag == .missing }

    /// A truth value.
    @inlinable public var bool: Bool? { cell.tag == .bool ? cell.bits != 0 : nil }

    /// An integer.
    @inlinable public var int: Int64? { cell.tag == .int ? cell.int64 : nil }

    /// Any number, as the nearest binary one.
    @inlinable public var double: Double? {
        switch cell.tag {
        case .double: Double(bitPattern: cell.bits)
        case .int: Double(cell.int64)
        case .decimal, .number: nearest
        default: nil
        }
    }

    /// A copy of a text.
    public var string: String? {
        cell.tag == .string ? String(decoding: cell.slice, as: UTF8.self) : nil
    }

    /// The bytes of a text, number, nested value or bytes, where they are; empty for all others.
    @inlinable public var slice: UnsafeRawBufferPointer { cell.slice }

    /// A copy of the value.
    public var value: Value { Value(cell) }

    @usableFromInline internal var nearest: Double? {
        if cell.tag == .number { return NumberText.nearest(cell.slice) }
        guard cell.int64.magnitude <= 1 << 53, cell.scale <= 18 else {
            guard case .decimal(let text) = value else { return nil }
            return Double(text)
        }
        // Both sides are exact, so the quotient is rounded once.
        return Double(cell.int64) / Self.powersOfTen[Int(cell.scale)]
    }

    private static let powersOfTen = (0...18).map { exponent in
        (0..<exponent).reduce(1.0) { product, _ in product * 10 }
    }

    /// Whether the field is a text with exactly these bytes.
    @inlinable
    public static func == (field: FieldView, text: String) -> Bool {
        guard field.cell.tag == .string, text.utf8.count == field.cell.length else { return false }
        return text.utf8.elementsEqual(field.cell.slice)
    }

    /// Whether the field is anything but a text with exactly these bytes.
    @inlinable
    public static func != (field: FieldView, text: String) -> Bool { !(field == text) }

    /// Whether the field is this truth value.
    @inlinable
    public static func == (field: FieldView, truth: Bool) -> Bool { field.bool == truth }

    /// Whether the field is anything but this truth value.
    @inlinable
    public static func != (field: FieldView, truth: Bool) -> Bool { field.bool != truth }

    /// Whether the field is this number.
    @inlinable
    public static func == (field: FieldView, number: Double) -> Bool { field.double == number }

    /// Whether the field is anything but this number.
    @inlinable
    public static func != (field: FieldView, number: Double) -> Bool { field.double != number }

    /// Whether the field is a smaller number.
    @inlinable
    public static func < (field: FieldView, number: Double) -> Bool {
        field.double.map { $0 < number } ?? false
    }

    /// Whether the field is a number that is no larger.
    @inlinable
    public static func <= (field: FieldView, number: Double) -> Bool {
        field.double.map { $0 <= number } ?? false
    }

    /// Whether the field is a larger number.
    @inlinable
    public static func > (field: FieldView, number: Double) -> Bool {
        field.double.map { $0 > number } ?? false
    }

    /// Whether the field is a number that is no smaller.
    @inlinable
    public static func >= (field: FieldView, number: Double) -> Bool {
        field.double.map { $0 >= number } ?? false
    }
}

/// The columns of the field names that a closure asks for, found once for a batch.
@usableFromInline
internal final class FieldLookup {
    @usableFromInline
    internal struct Entry {
        @usableFromInline var name: UnsafePointer<UInt8>
        @usableFromInline var count: Int
        @usableFromInline var column: Int
    }

    // One task at a time uses it, each access for an instant; the check would cost more than that.
    @exclusivity(unchecked) @usableFromInline internal var entries: UnsafeMutablePointer<Entry>
    @exclusivity(unchecked) @usableFromInline internal var count = 0
    @exclusivity(unchecked) private var capacity = 8

    @usableFromInline
    internal init() { entries = .allocate(capacity: 8) }

    deinit { entries.deallocate() }

    /// The column of a field; -1 when the batch has none of that name.
    @inlinable @inline(__always)
    internal func column(_ name: StaticString, in batch: RecordBatch) -> Int {
        guard name.hasPointerRepresentation else { return findCharacter(name, in: batch) }
        for index in 0..<count where entries[index].name == name.utf8Start {
            // Literals may share the end of one another, so the address alone says too little.
            if entries[index].count == name.utf8CodeUnitCount { return entries[index].column }
        }
        return find(name, in: batch)
    }

    @usableFromInline
    internal func find(_ name: StaticString, in batch: RecordBatch) -> Int {
        if count == capacity {
            let more = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
            more.update(from: entries, count: count)
            entries.deallocate()
            entries = more
            capacity *= 2
        }
        let column = batch.schema.index(of: name.description) ?? -1
        entries[count] = Entry(
            name: name.utf8Start,
            count: name.utf8CodeUnitCount,
            column: column
        )
        count += 1
        return column
    }

    @usableFromInline
    internal func findCharacter(_ name: StaticString, in batch: RecordBatch) -> Int {
        batch.schema.index(of: name.description) ?? -1
    }

    /// Forgets all columns, since the batch has others now.
    internal func forget() { count = 0 }
}
