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
    /// Whether the cells of a key say what the server would write.
    internal let keyIsPlain: Bool
    /// The cells of the row that was decoded last.
    internal let newCells: UnsafePointer<Cell>

    private let columns: [Relation.Column]
    private let decoders: [ColumnDecoder]
    private let new: UnsafeMutablePointer<Cell>
    private let old: UnsafeMutablePointer<Cell>

    /// Which row a tuple is.
    internal init(
        _ relation: Relation,
        key: [Int],
        optional: Set<String>,
        in stream: ChangeStream
    ) throws(ConnectorError) {
        id = relation.id
        name = "\(relation.namespace).\(relation.name)"
        columns = relation.columns
        decoders = columns.map { ColumnDecoder(type: $0.type) }
        var captured: [CapturedColumn] = []
        for (column, decoder) in zip(columns, decoders) {
            captured.append(
                CapturedColumn(
                    column.name,
                    decoder.fieldType,
                    isOptional: optional.contains(column.name)
                )
            )
        }
        table = try CapturedTable(
            namespace: relation.namespace,
            name: relation.name,
            columns: captured,
            primaryKey: key,
            in: stream
        )
        selectList = zip(columns, decoders).map { column, decoder in
            SQLText.identifier(column.name) + (decoder.isText ? "::text" : "")
        }.joined(separator: ", ")
        let types = columns.map(\.type)
        keyIsPlain = key.allSatisfy { PlainKey.types.contains(types[$0]) }
        new = .allocate(capacity: max(columns.count, 1))
        old = .allocate(capacity: max(columns.count, 1))
        newCells = UnsafePointer(new)
    }

    deinit {
        new.deallocate()
        old.deallocate()
    }

    internal var columnCount: Int { columns.count }

    /// The cells of a row that was inserted or updated.
    @inline(__always)
    internal func decode(_ row: Tuple) -> UnsafePointer<Cell> {
        for column in 0..<columns.count { new[column] = cell(row[column], column) }
        return newCells
    }

    /// The cells of a row as it was before, as far as the server tells; `nil` when it does not.
    @inline(__always)
    internal func decode(
        _ row: Tuple,
        _ kind: ChangeMessage.OldRow
    ) -> UnsafePointer<Cell>? {
        if kind == .none { return nil }
        for column in 0..<columns.count {
            old[column] =
                kind == .full || columns[column].isKey ? cell(row[column], column) : .missing
        }
        return UnsafePointer(old)
    }

    /// Takes from the whole row before what the server left out because it did not change.
    internal func fillUnchanged() {
        for column in 0..<columns.count where new[column].tag == .missing {
            new[column] = old[column]
        }
    }

    /// Makes cells of a row of a COPY.
    internal func decode(_ row: BinaryCopy) {
        for column in 0..<columns.count {
            new[column] = row[column].map { decoders[column].binary($0) } ?? .null
        }
    }

    @inline(__always)
    private func cell(_ value: TupleColumn, _ column: Int) -> Cell {
        switch value.kind {
        case .null: .null
        case .unchanged: .missing
        case .text: decoders[column].text(value.bytes)
        case .binary: decoders[column].binary(value.bytes)
        }
    }
}
