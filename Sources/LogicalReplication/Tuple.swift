/// One column's value in a message.
@frozen
public struct TupleColumn: BitwiseCopyable, Sendable {
    /// How a value is there.
    @frozen
    public enum Kind: UInt8, BitwiseCopyable, Sendable {
        /// It is null.
        case null = 0x6E
        /// It was not changed and is stored apart, so that the server did not send it.
        case unchanged = 0x75
        /// As the type's text.
        case text = 0x74
        /// As the type's binary form.
        case binary = 0x62
    }

    /// The value's address, or 0.
    @usableFromInline internal var address: UInt
    @usableFromInline internal var length: UInt32
    /// How the value is there.
    public var kind: Kind

    /// Makes a column.
    @inlinable
    public init(_ kind: Kind, _ bytes: UnsafeRawBufferPointer = .init(start: nil, count: 0)) {
        self.kind = kind
        address = UInt(bitPattern: bytes.baseAddress)
        length = UInt32(truncatingIfNeeded: bytes.count)
    }

    /// The value, in the message's memory; empty when there is none.
    @inlinable @inline(__always)
    public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: Int(length))
    }
}

/// The columns of a row in a message; reused from message to message.
public final class Tuple {
    @exclusivity(unchecked) @usableFromInline internal var columns:
        UnsafeMutablePointer<TupleColumn>
    @exclusivity(unchecked) @usableFromInline internal var used = 0
    private var capacity = 32

    /// Makes a row without columns.
    public init() { columns = .allocate(capacity: capacity) }

    deinit { columns.deallocate() }

    /// The number of columns.
    @inlinable public var count: Int { used }

    /// A column; those that do not exist are null, as columns added later are.
    @inlinable @inline(__always)
    public subscript(column: Int) -> TupleColumn {
        guard column >= 0, column < used else { return TupleColumn(.null) }
        return columns[column]
    }

    /// Whether the server left out a value that did not change.
    public var hasUnchangedColumns: Bool {
        for column in 0..<used where columns[column].kind == .unchanged { return true }
        return false
    }

    internal func removeAll() { used = 0 }

    /// Reads a row.
    internal func read(_ cursor: inout ByteCursor) throws(ReplicationError) {
        used = 0
        let count = Int(try cursor.integer(Int16.self))
        guard count >= 0 else { throw ReplicationError("a row has \(count) columns") }
        // Each takes a byte at least, so that a false count cannot make us allocate.
        guard count <= cursor.remaining else { throw cursor.cutShort() }
        if count > capacity { grow(to: count) }
        for column in 0..<count {
            let byte: UInt8 = try cursor.integer()
            guard let kind = TupleColumn.Kind(rawValue: byte) else {
                throw ReplicationError("a column is of the unknown kind \(byte)")
            }
            switch kind {
            case .null, .unchanged: columns[column] = TupleColumn(kind)
            case .text, .binary:
                let length = Int(try cursor.integer(Int32.self))
                columns[column] = TupleColumn(kind, try cursor.bytes(length))
            }
        }
        used = count
    }

    private func grow(to count: Int) {
        columns.deallocate()
        columns = .allocate(capacity: count)
        capacity = count
    }
}
