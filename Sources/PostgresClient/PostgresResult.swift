internal import CPostgres

/// What a statement gave: rows, or how many it changed.
public final class PostgresResult {
    internal let handle: ResultHandle
    /// The number of rows.
    public let rowCount: Int
    /// The number of columns.
    public let columnCount: Int

    internal init(_ handle: consuming ResultHandle) {
        rowCount = Int(PQntuples(handle.pointer))
        columnCount = Int(PQnfields(handle.pointer))
        self.handle = handle
    }

    /// A column of the result.
    public struct Column: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// The type's oid.
        public var type: UInt32
        /// The type's modifier, such as a length; -1 for none.
        public var modifier: Int32
        /// The oid of the table that it comes from, or 0.
        public var table: UInt32
        /// Its number in that table, from 1, or 0.
        public var tableColumn: Int
        /// How its values are written.
        public var format: PostgresFormat
    }

    /// The columns, in order.
    public var columns: [Column] {
        (0..<Int32(columnCount)).map { number in
            Column(
                name: PQfname(handle.pointer, number).map { String(cString: $0) } ?? "",
                type: PQftype(handle.pointer, number),
                modifier: PQfmod(handle.pointer, number),
                table: PQftable(handle.pointer, number),
                tableColumn: Int(PQftablecol(handle.pointer, number)),
                format: PQfformat(handle.pointer, number) == 1 ? .binary : .text
            )
        }
    }

    /// The rows that the statement inserted, changed, deleted or copied; 0 for other statements.
    public var affectedRows: Int {
        PQcmdTuples(handle.pointer).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// The command's tag, such as `INSERT 0 5`.
    public var commandTag: String { String(cString: PQcmdStatus(handle.pointer)) }

    /// Whether a value is null; also for a row or column that does not exist.
    public func isNull(_ row: Int, _ column: Int) -> Bool {
        guard row >= 0, row < rowCount, column >= 0, column < columnCount else { return true }
        return PQgetisnull(handle.pointer, Int32(row), Int32(column)) != 0
    }

    /// A value's bytes, valid as long as the result; empty for null.
    public func bytes(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        guard !isNull(row, column) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let count = Int(PQgetlength(handle.pointer, Int32(row), Int32(column)))
        let start = PQgetvalue(handle.pointer, Int32(row), Int32(column))
        return UnsafeRawBufferPointer(start: start, count: count)
    }

    /// A value as text, or `nil` for null.
    public func string(_ row: Int, _ column: Int) -> String? {
        isNull(row, column) ? nil : String(decoding: bytes(row, column), as: UTF8.self)
    }

    /// A value written as text, as an integer; `nil` for null and what is none.
    public func int(_ row: Int, _ column: Int) -> Int64? {
        string(row, column).flatMap { Int64($0) }
    }

    /// A value written as text, as a truth value; `nil` for null and what is none.
    public func bool(_ row: Int, _ column: Int) -> Bool? {
        switch string(row, column) {
        case "t": true
        case "f": false
        default: nil
        }
    }
}
