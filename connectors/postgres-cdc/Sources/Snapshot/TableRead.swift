internal import ChangeCapture
internal import ConnectorSDK
internal import PostgresClient

/// Reads rows of a table out of the server by COPY.
internal final class TableRead {
    private let connection: PostgresConnection
    private let relation: CapturedRelation
    private let table: CatalogTable
    private var copy = BinaryCopy()
    /// The row that was read last, with room behind it for those who read in wide words.
    private let row = OutputBuffer(capacity: 16 << 10)
    /// How many columns of the row are the key's text, because the cells do not tell it.
    private let keyTexts: Int
    private var isOpen = false

    /// The cells of the row that was read last.
    internal let cells: UnsafePointer<Cell>

    /// Prepares to read on a connection in whose transaction the rows are to be seen.
    internal init(
        _ relation: CapturedRelation,
        of table: CatalogTable,
        on connection: PostgresConnection
    ) {
        self.connection = connection
        self.relation = relation
        self.table = table
        keyTexts = relation.identityIsPlain ? 0 : table.key.count
        cells = relation.newCells
    }

    /// Starts to read a range, or with `nil` the whole table.
    internal func begin(
        _ range: SnapshotRange?,
        filter: String?,
        limit: Int? = nil
    ) throws(ConnectorError) {
        let clauses = range?.clauses(table.key)
        var conditions = [clauses?.condition, table.rowFilter, filter].compactMap { $0 }
        if conditions.count > 1 { conditions = conditions.map { "(\($0))" } }
        var sql = "SELECT \(relation.selectList)"
        if keyTexts > 0 {
            sql += ", \(table.keyTexts)"
        }
        sql += " FROM \(table.source)"
        if !conditions.isEmpty { sql += " WHERE " + conditions.joined(separator: " AND ") }
        if let order = clauses?.order { sql += " ORDER BY \(order)" }
        if let limit { sql += " LIMIT \(limit)" }
        do throws(PostgresFailure) {
            try connection.startCopyOut("COPY (\(sql)) TO STDOUT (FORMAT binary)")
        } catch {
            throw CDCError.read(table, error)
        }
        copy = BinaryCopy()
        isOpen = true
    }

    /// Reads the next row into ``cells``; `false` after the last.
    internal func next() throws(ConnectorError) -> Bool {
        while isOpen {
            do throws(PostgresFailure) {
                guard let message = try connection.nextCopyRow() else {
                    isOpen = false
                    return false
                }
                row.count = 0
                row.append(message)
                guard try copy.take(row.bytes) else { continue }
            } catch {
                throw CDCError.read(table, error)
            }
            relation.decode(copy)
            return true
        }
        return false
    }

    /// Appends the row that was read last.
    internal func append(to stream: ChangeStream, at place: UInt64) {
        if let problem = relation.problem {
            stream.reject(problem, value: [], of: relation.table)
        } else {
            stream.append(.read, to: relation.table, before: nil, after: cells, at: place)
        }
    }

    /// The key of the row that was read last, as the server writes it.
    internal func key() -> [String] {
        if keyTexts > 0 {
            let first = relation.columnCount
            return (first..<first + keyTexts).map {
                String(decoding: copy[$0] ?? .init(start: nil, count: 0), as: UTF8.self)
            }
        }
        return relation.identity.map { PlainKey.text(cells[$0]) }
    }

    /// The last key of the table, in the order of its key; `nil` when it has no rows.
    internal func lastKey() throws(ConnectorError) -> [String]? {
        let order = table.key.map { "\(CatalogTable.alias).\(SQLText.identifier($0)) DESC" }
            .joined(separator: ", ")
        do throws(PostgresFailure) {
            let result = try connection.execute(
                "SELECT \(table.keyTexts) FROM \(table.source) ORDER BY \(order) LIMIT 1"
            )
            guard result.rowCount == 1 else { return nil }
            return (0..<table.key.count).map { result.string(0, $0) ?? "" }
        } catch {
            throw CDCError.read(table, error)
        }
    }

    /// Ends reading before the last row.
    internal func abandon() throws(ConnectorError) {
        guard isOpen else { return }
        isOpen = false
        do throws(PostgresFailure) {
            try connection.abandonCopyOut()
        } catch {
            throw CDCError.read(table, error)
        }
    }
}

/// Keys whose cells say what the server would write.
internal enum PlainKey {
    /// Types of columns of such keys: integers, uuid, text and varchar.
    internal static let types: Set<UInt32> = [20, 21, 23, 25, 1043, 2950]

    internal static func text(_ cell: Cell) -> String {
        cell.isSlice ? String(decoding: cell.slice, as: UTF8.self) : String(cell.int64)
    }
}
