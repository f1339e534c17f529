internal import CSQLiteShim
public import ConnectorSDK
public import SQLiteClient

/// Reads values of a statement's rows as cells, for a caller that lays them out itself.
public final class CellReader {
    private var columns: [mr_read_column]

    /// Makes a reader of so many columns with these declared types; any value may be in any of
    /// them.
    public init(_ types: [DeclaredType]) {
        columns = types.map { type in
            let bool: UInt16 = 1 << UInt16(Cell.Tag.bool.rawValue)
            return mr_read_column(
                allowed: type.fieldType == .bool ? .max : .max & ~bool,
                scale: Int16(clamping: type.decimalScale ?? Int(MR_NO_DECIMALS))
            )
        }
    }

    /// Reads the columns from `first` on.
    ///
    /// - Parameters:
    ///   - statement: a statement on a row.
    ///   - first: the first column.
    ///   - cells: where the cells go.
    ///   - memory: what text and bytes are copied to.
    /// - Returns: the column, counted from `first`, that holds text which is not UTF-8, or `nil`.
    /// - Throws: when there is no memory for the row.
    public func read(
        _ statement: SQLiteStatement,
        from first: Int,
        into cells: UnsafeMutablePointer<Cell>,
        memory: RowMemory
    ) throws(SQLiteFailure) -> Int? {
        let target = UnsafeMutableRawPointer(cells).assumingMemoryBound(to: mr_cell.self)
        let start = Int32(truncatingIfNeeded: first)
        let count = Int32(truncatingIfNeeded: columns.count)
        let pointer = statement.pointer
        while true {
            let result = columns.withUnsafeBufferPointer {
                mr_row_read(pointer, start, count, $0.baseAddress, target, &memory.slab)
            }
            switch Int(result) {
            case MR_ROW_READ: return nil
            case MR_ROW_NEEDS_ROOM: memory.grow()
            case MR_ROW_NOT_UTF8: return Int(memory.slab.column)
            default: throw SQLiteFailure(code: 7, message: "out of memory")
            }
        }
    }
}

/// Memory for the text and bytes of one row, used again for the next.
public final class RowMemory {
    private static let initialSize = 64 << 10

    private var chunks: [Chunk]
    fileprivate var slab = mr_slab()

    /// Makes memory that grows with the rows.
    public init() {
        chunks = [Chunk(capacity: Self.initialSize)]
        begin()
    }

    /// Forgets what was read.
    public func begin() {
        if chunks.count > 1 { chunks.removeFirst(chunks.count - 1) }
        // A single huge row should not be remembered for ever. (D7)
        if chunks[0].capacity > 64 * Self.initialSize {
            chunks[0] = Chunk(capacity: Self.initialSize)
        }
        use(chunks[0])
    }

    /// What the row's earlier values point to stays where it is.
    fileprivate func grow() {
        let size = max(2 * (chunks.last?.capacity ?? 0), Int(slab.needed))
        let chunk = Chunk(capacity: size)
        chunks.append(chunk)
        use(chunk)
    }

    private func use(_ chunk: Chunk) {
        let start = chunk.base.assumingMemoryBound(to: UInt8.self)
        slab.next = start
        slab.end = start + chunk.capacity
    }
}
