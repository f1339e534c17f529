internal import ChangeCapture
internal import ConnectorSDK
internal import LogicalReplication
internal import PostgresClient

/// A captured table as one version of its columns: how rows become cells.
internal final class CapturedRelation {
    internal let id: UInt32
    /// The name as configurations, positions and messages have it.
    internal let name: String
    internal let table: CapturedTable
    /// What a snapshot selects, in the order of the columns.
    internal let selectList: String
    /// The columns by which the server tells rows apart, whatever the records' key is.
    internal let identity: [Int]
    /// Whether the cells of ``identity`` say what the server would write.
    internal let identityIsPlain: Bool
    /// The cells of the row that was decoded last.
    internal let newCells: UnsafePointer<Cell>
    internal let columnCount: Int

    private let columns: [Relation.Column]
    private let decoders: [ColumnDecoder]
    private let new: UnsafeMutablePointer<Cell>
    private let old: UnsafeMutablePointer<Cell>
    /// Holds values that had to be made anew, until the next change.
    @exclusivity(unchecked) private var values = Arena(capacity: 4 << 10)
    /// The column of the last change whose value could not be read.
    @exclusivity(unchecked) private var unreadable: Int?

    /// Describes a version.
    ///
    /// - Parameters:
    ///   - relation: the columns, in order.
    ///   - decoders: how each is read.
    ///   - key: the columns that identify a row.
    ///   - optional: the names of those that may be null.
    ///   - stream: what its changes will be appended to.
    /// - Throws: when the configuration asks for a key that changes would lack.
    internal init(
        _ relation: Relation,
        _ decoders: [ColumnDecoder],
        key: [Int],
        optional: Set<String>,
        in stream: ChangeStream
    ) throws(ConnectorError) {
        id = relation.id
        name = "\(relation.namespace).\(relation.name)"
        columns = relation.columns
        columnCount = columns.count
        self.decoders = decoders
        table = try CapturedTable(
            namespace: relation.namespace,
            name: relation.name,
            columns: zip(relation.columns, decoders).map { column, decoder in
                CapturedColumn(
                    column.name,
                    decoder.fieldType,
                    nativeType: decoder.nativeType,
                    isOptional: optional.contains(column.name),
                    secondsPrecision: decoder.secondsPrecision
                )
            },
            primaryKey: key,
            in: stream
        )
        selectList = zip(relation.columns, decoders).map { column, decoder in
            let name = "\(CatalogTable.alias).\(SQLText.identifier(column.name))"
            if decoder.hasBinary { return name }
            // The type's own text, as the stream has it, which is not always what a cast makes.
            return "CASE WHEN num_nonnulls(\(name)) = 1 THEN format('%s', \(name)) END"
        }.joined(separator: ", ")
        let types = relation.columns.map(\.type)
        identity = key
        identityIsPlain = key.allSatisfy { PlainKey.types.contains(types[$0]) }
        try Self.check(table, relation)
        new = .allocate(capacity: max(columnCount, 1))
        old = .allocate(capacity: max(columnCount, 1))
        newCells = UnsafePointer(new)
    }

    /// Refuses a key that deletions would lack, as the server does not tell its columns. (D5)
    private static func check(
        _ table: CapturedTable,
        _ relation: Relation
    ) throws(ConnectorError) {
        guard relation.identity == .primaryKey || relation.identity == .index,
            let column = table.keyColumns.first(where: { !relation.columns[$0].isKey })
        else { return }
        throw CDCError.configuration(
            "key_identity",
            "The key of the table `\(table.name)` has the column "
                + "`\(relation.columns[column].name)`, which the server does not tell of rows "
                + "that are deleted.",
            at: "message.key.columns",
            hint: "ALTER TABLE \(SQLText.identifier(schema: relation.namespace, relation.name)) "
                + "REPLICA IDENTITY FULL, or choose columns of the primary key."
        )
    }

    /// Whether rows of both have the same columns in the same places.
    internal func hasColumns(of other: CapturedRelation) -> Bool {
        self === other
            || columns.elementsEqual(other.columns) { left, right in
                left.name == right.name && left.type == right.type
                    && left.modifier == right.modifier
            }
    }

    deinit {
        new.deallocate()
        old.deallocate()
    }

    /// Forgets the values of the change before.
    @inline(__always)
    internal func beginChange() {
        values.removeAll()
        unreadable = nil
    }

    /// Why a row of the change cannot be told; `nil` when it can.
    @inline(__always)
    internal var problem: ConnectorError? {
        unreadable == nil ? nil : makeProblem()
    }

    private func makeProblem() -> ConnectorError? {
        guard let unreadable else { return nil }
        let column = columns[unreadable].name
        return ConnectorError(
            .init("postgres_cdc.value"),
            .rejectRecord,
            "A value of the column `\(column)` of `\(name)` cannot be read: it is no text in UTF-8, "
                + "or not of its type.",
            hint: "Is the database's encoding SQL_ASCII? Then its texts may be anything."
        )
    }

    /// The cells of a row that was inserted or updated.
    @inline(__always)
    internal func decode(_ row: Tuple) -> UnsafePointer<Cell> {
        for column in 0..<columnCount { new[column] = cell(row[column], column) }
        return newCells
    }

    /// The cells of a row as it was before, as far as the server tells; `nil` when it does not.
    @inline(__always)
    internal func decode(_ row: Tuple, _ kind: ChangeMessage.OldRow) -> UnsafePointer<Cell>? {
        if kind == .none { return nil }
        for column in 0..<columnCount {
            old[column] =
                kind == .full || columns[column].isKey ? cell(row[column], column) : .missing
        }
        return UnsafePointer(old)
    }

    /// Takes from the whole row before what the server left out because it did not change.
    internal func fillUnchanged() {
        for column in 0..<columnCount where new[column].tag == .missing {
            new[column] = old[column]
        }
    }

    /// Makes cells of a row of a COPY.
    internal func decode(_ row: BinaryCopy) {
        beginChange()
        for column in 0..<columnCount {
            guard let bytes = row[column] else {
                new[column] = .null
                continue
            }
            if let cell = decoders[column].cell(copied: bytes, &values) {
                new[column] = cell
            } else {
                new[column] = .null
                unreadable = column
            }
        }
    }

    @inline(__always)
    private func cell(_ value: TupleColumn, _ column: Int) -> Cell {
        switch value.kind {
        case .null: return .null
        case .unchanged: return .missing
        case .text, .binary:
            if let cell = decoders[column].cell(text: value.bytes, &values) { return cell }
            unreadable = column
            return .null
        }
    }
}
