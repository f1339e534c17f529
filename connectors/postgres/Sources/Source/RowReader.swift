internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// Fills batches with the rows of a binary COPY, behind whose columns may stand what orders the rows.
internal final class RowReader {
    /// A row's place in the order, valid during the call that has it.
    internal struct Place {
        fileprivate let fields: RowOrder.Fields
        fileprivate let order: RowOrder
        /// Whether it is the last row of the batch.
        internal let isLast: Bool

        /// Whether the order's values are these.
        internal func equals(_ values: RowOrder.Values) -> Bool { order.isEqual(fields, values) }

        /// Keeps the order's values.
        internal func copy(to values: inout RowOrder.Values) { order.copy(fields, to: &values) }
    }

    internal let schema: Schema
    internal let keySchema: Schema?
    private let columns: [PostgresTable.Column]
    private let keyNames: [String]
    private let keyColumns: [Int]
    private let terms: [OrderTerm]
    internal let order: RowOrder
    private let decoders: [CellDecoder]
    private let name: String
    private let database: SourceDatabase
    private let fields: UnsafeMutableBufferPointer<UnsafeRawBufferPointer?>
    private var isBegun = false

    internal init(
        _ columns: [PostgresTable.Column],
        key: [String],
        order terms: [OrderTerm],
        of name: String,
        in database: SourceDatabase
    ) throws(ConnectorError) {
        var types: [ColumnType] = []
        for column in columns {
            types.append(try database.type(column))
        }
        self.columns = columns
        self.terms = terms
        self.name = name
        self.database = database
        keyNames = key
        decoders = types.map { CellDecoder($0) }
        order = RowOrder(terms, columns, decoders)
        let all = zip(columns, types).map { column, type in
            type.field(column.name, isOptional: !column.isNotNull)
        }
        let schema = Schema(all)
        self.schema = schema
        keyColumns = key.compactMap { schema.index(of: $0) }
        keySchema = keyColumns.isEmpty ? nil : Schema(keyColumns.map { all[$0] })
        fields = .allocate(capacity: columns.count + order.selectList.count)
        fields.initialize(repeating: nil)
    }

    deinit { fields.deallocate() }

    /// Whether rows of these columns can be read as they are.
    internal func fits(
        _ columns: [PostgresTable.Column],
        key: [String],
        order terms: [OrderTerm]
    ) -> Bool {
        self.columns == columns && keyNames == key && self.terms == terms
    }

    /// What this reads: the columns, those without a binary form as text, then what else is needed
    /// of the order.
    internal var selectList: [String] {
        let own = zip(columns, decoders).map { column, decoder in
            let name = Relation.column(column.name)
            return decoder.kind.hasBinary ? name : "\(name)::text"
        }
        return own + order.selectList
    }

    /// A COPY was started.
    internal func begin() { isBegun = false }

    /// Adds rows to an empty batch, and hands out each row's place.
    ///
    /// - Returns: whether the COPY is at its end.
    internal func fill(
        _ batch: RecordBatch,
        limit: Int,
        _ note: (Place) -> Void
    ) throws(ConnectorError) -> Bool {
        var bytes = 0
        while batch.count < limit, !batch.isFull, bytes < RecordBatch.byteLimit {
            let message = try database.run("read \(name)") { connection throws(PostgresFailure) in
                try connection.nextCopyRow()
            }
            guard let message else {
                if batch.count > 0 { note(place(isLast: true)) }
                return true
            }
            // The order values of the row before live as long as the batch's copy of it.
            guard let row = try row(in: message) else { continue }
            if batch.count > 0 { note(place(isLast: false)) }
            let kept = batch.arena.copy(row)
            try split(kept)
            bytes &+= kept.count
            try append(to: batch)
        }
        if batch.count > 0 { note(place(isLast: true)) }
        return false
    }

    private func place(isLast: Bool) -> Place {
        Place(fields: fields, order: order, isLast: isLast)
    }

    // MARK: - The format of COPY

    private static let headerLength = 19

    /// The row in a message; `nil` when it has the header or trailer alone.
    private func row(
        in message: UnsafeRawBufferPointer
    ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        var rest = message[...]
        if !isBegun {
            guard message.count >= Self.headerLength, message.starts(with: "PGCOPY\n".utf8) else {
                throw damaged()
            }
            let extra = Int(message.loadUnaligned(fromByteOffset: 15, as: Int32.self).bigEndian)
            guard extra >= 0, extra <= message.count - Self.headerLength else { throw damaged() }
            isBegun = true
            rest = rest.dropFirst(Self.headerLength + extra)
            if rest.isEmpty { return nil }
        }
        let row = UnsafeRawBufferPointer(rebasing: rest)
        guard row.count >= 2 else { throw damaged() }
        return row.loadUnaligned(as: Int16.self).bigEndian == -1 ? nil : row
    }

    /// Notes where the fields of a row are.
    private func split(_ row: UnsafeRawBufferPointer) throws(ConnectorError) {
        guard Int(row.loadUnaligned(as: Int16.self).bigEndian) == fields.count else {
            throw damaged()
        }
        var at = 2
        for index in fields.indices {
            guard row.count - at >= 4 else { throw damaged() }
            let length = Int(row.loadUnaligned(fromByteOffset: at, as: Int32.self).bigEndian)
            at += 4
            if length == -1 {
                fields[index] = nil
                continue
            }
            guard length >= 0, length <= row.count - at else { throw damaged() }
            fields[index] = UnsafeRawBufferPointer(rebasing: row[at..<at + length])
            at += length
        }
    }

    private func append(to batch: RecordBatch) throws(ConnectorError) {
        let row = batch.appendRow()
        let cells = batch.row(row)
        // The arena is taken once for the row, since each time is checked to be the only one.
        if let column = decode(to: cells, &batch.arena) { throw damaged(columns[column].name) }
        guard let key = batch.keyRow(row) else { return }
        for (index, column) in keyColumns.enumerated() { key[index] = cells[column] }
    }

    /// Decodes the fields; gives the first column that is not understood.
    private func decode(to cells: UnsafeMutablePointer<Cell>, _ arena: inout Arena) -> Int? {
        for (column, decoder) in decoders.enumerated() {
            guard let field = fields[column] else {
                cells[column] = .null
                continue
            }
            let cell =
                decoder.kind.hasBinary
                ? decoder.cell(binary: field, &arena) : decoder.cell(text: field, &arena)
            guard let cell else { return column }
            cells[column] = cell
        }
        return nil
    }

    private func damaged(_ column: String? = nil) -> ConnectorError {
        ConnectorError(
            .init("postgres.protocol"),
            .failTask,
            "The server sent data of \(name)\(column.map { ", column \($0)," } ?? "") in a form that "
                + "is not understood.",
            hint: "Is there something between here and the server that changes data?"
        )
    }
}
