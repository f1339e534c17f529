internal import ConnectorSDK
internal import PostgresClient
internal import PostgresRecords
internal import TableMapping

/// A table as the catalog describes it.
internal final class TargetTable {
    internal struct Column: Hashable {
        internal var name: String
        internal var type: ColumnType
        /// The type of arrays of the column's type; `nil` when there are none.
        internal var arrayType: UInt32?
        internal var hasDefault: Bool
        /// Whether a new row must be given a value.
        internal var isRequired: Bool
        /// Whether the column computes its value itself.
        internal var isGenerated: Bool
        /// Whether texts that differ in bytes may be the same in the column.
        internal var isCollatedLoosely: Bool
    }

    internal let name: TableName
    /// Another one when the table's columns change, or another table has the name.
    internal let state: String
    internal let columns: [Column]
    private let byName: [String: Int]
    /// The columns of each unique index; a column without a name stands for what else is looked
    /// at, and for an index that ON CONFLICT cannot name.
    internal let uniqueIndexes: [[String]]
    internal let hasTriggers: Bool
    internal let hasForeignKeys: Bool
    /// Whether a row can be looked for and copied without anything else being looked at: an ordinary
    /// table, whose policies hide no row.
    internal let isPlain: Bool

    private init(
        _ name: TableName,
        _ result: PostgresResult,
        columns: [Column],
        uniqueIndexes: [[String]]
    ) {
        self.name = name
        state = result.string(0, 1) ?? ""
        hasTriggers = result.bool(0, 2) ?? true
        hasForeignKeys = result.bool(0, 3) ?? true
        isPlain = result.bool(0, 4) ?? false
        self.columns = columns
        self.uniqueIndexes = uniqueIndexes
        byName = Dictionary(
            columns.enumerated().map { ($1.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    internal func column(_ name: String) -> Column? { byName[name].map { columns[$0] } }

    /// Describes a table; `nil` when there is none.
    internal static func describe(
        _ name: TableName,
        _ types: inout TypeMapper,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> TargetTable? {
        let result = try connection.query(
            """
            SELECT c.oid, \(stateOf("c.oid")),
                EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
                    OR c.relhasrules OR c.relkind NOT IN ('r', 'p'),
                EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f'
                    AND (k.conrelid = c.oid OR k.confrelid = c.oid)),
                c.relkind = 'r' AND NOT c.relrowsecurity
            FROM pg_class c WHERE c.oid = to_regclass($1)
            """,
            [.text(name.quoted)]
        )
        guard result.rowCount == 1, let oid = result.int(0, 0) else { return nil }
        return TargetTable(
            name,
            result,
            columns: try columns(of: oid, &types, on: connection),
            uniqueIndexes: try uniqueIndexes(of: oid, on: connection)
        )
    }

    private static func columns(
        of oid: Int64,
        _ types: inout TypeMapper,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> [Column] {
        let result = try connection.query(
            """
            SELECT a.attname, a.atttypid, a.atttypmod, a.atthasdef OR a.attidentity <> ''
                    OR y.typdefault IS NOT NULL, a.attgenerated <> '',
                NOT coalesce(l.collisdeterministic, true), a.attnotnull OR y.typnotnull,
                nullif(y.typarray, 0)
            FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
            LEFT JOIN pg_collation l ON l.oid = a.attcollation
            WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            """,
            [.int(oid)]
        )
        var columns: [Column] = []
        for row in 0..<result.rowCount {
            let type = try types.type(
                UInt32(clamping: result.int(row, 1) ?? 0),
                modifier: Int32(clamping: result.int(row, 2) ?? -1),
                on: connection
            )
            let hasDefault = result.bool(row, 3) ?? false
            columns.append(
                Column(
                    name: result.string(row, 0) ?? "",
                    type: type,
                    arrayType: result.int(row, 7).map { UInt32(clamping: $0) },
                    hasDefault: hasDefault,
                    isRequired: !hasDefault && result.bool(row, 6) ?? false,
                    isGenerated: result.bool(row, 4) ?? false,
                    isCollatedLoosely: result.bool(row, 5) ?? true
                )
            )
        }
        return columns
    }

    private static func uniqueIndexes(
        of oid: Int64,
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> [[String]] {
        let result = try connection.query(
            """
            SELECT i.indexrelid, CASE WHEN i.indpred IS NULL AND i.indimmediate AND i.indisvalid
                THEN a.attname END FROM pg_index i
            CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (number, place)
            LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            WHERE i.indrelid = $1::oid AND i.indisunique AND k.place <= i.indnkeyatts
            ORDER BY i.indexrelid, k.place
            """,
            [.int(oid)]
        )
        var indexes: [Int64: [String]] = [:]
        for row in 0..<result.rowCount {
            // An expression has no name, and stands for whatever else may be unique.
            indexes[result.int(row, 0) ?? 0, default: []].append(result.string(row, 1) ?? "")
        }
        return indexes.sorted { $0.key < $1.key }.map(\.value)
    }

    /// The states of the tables that have these names now.
    ///
    /// A transaction that has written to a table keeps it from changing.
    internal static func states(
        of names: [TableName],
        on connection: PostgresConnection
    ) throws(PostgresFailure) -> [TableName: String] {
        let terms = names.enumerated().map { number, name in
            let literal = PostgresClient.SQLText.literal(name.quoted)
            return "(\(number), to_regclass(\(literal))::oid)"
        }
        let result = try connection.execute(
            """
            SELECT n.number, \(stateOf("n.oid"))
            FROM (VALUES \(terms.joined(separator: ", "))) n (number, oid) WHERE n.oid IS NOT NULL
            """
        )
        var states: [TableName: String] = [:]
        for row in 0..<result.rowCount {
            guard let number = result.int(row, 0), names.indices.contains(Int(number)) else {
                continue
            }
            states[names[Int(number)]] = result.string(row, 1)
        }
        return states
    }

    /// Whoever changes a column writes its row of the catalog anew.
    private static func stateOf(_ oid: String) -> String {
        "\(oid) || coalesce((SELECT string_agg(' ' || a.xmin::text, '' ORDER BY a.attnum) "
            + "FROM pg_attribute a WHERE a.attrelid = \(oid) AND a.attnum > 0), '')"
    }
}
