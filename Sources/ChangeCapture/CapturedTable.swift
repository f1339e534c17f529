public import ConnectorSDK

/// A table whose changes are told: its columns and key as records have them, and what is worked
/// out once for all of its changes.
///
/// One ``ChangeStream`` uses it. A table whose columns change becomes another `CapturedTable`.
public final class CapturedTable {
    /// The name in the topic without the prefix: `public.orders`, or `orders` without schemas.
    public let name: String
    /// The topic of the changes.
    public let topic: String
    /// The columns that the connector gives cells of, in that order.
    public let columns: [CapturedColumn]
    /// The columns of the key, as indices of ``columns``; empty for records without keys.
    public let keyColumns: [Int]
    /// The schema of the changes' values at present.
    public private(set) var schema: Schema

    internal let before: RowShape
    internal let after: RowShape
    internal let keyPlans: [ColumnPlan]
    internal let keySchema: Schema?
    /// The columns of ``before`` and ``after``; `nil` when they are ``columns`` as they come.
    internal let plans: [ColumnPlan]?
    internal let keyIsPlain: Bool
    internal let placeholder: String?
    /// `,"source":{…,"table":"orders"`, the part that never changes.
    internal let source: Fragment
    /// The record header with the table's name, encoded.
    internal let header: Fragment
    private let metadataFields: [Field]
    private var schemas: [ObjectIdentifier: [ObjectIdentifier: Schema]] = [:]

    // What the stream keeps here for the table.
    @exclusivity(unchecked) internal var batch: RecordBatch?
    @exclusivity(unchecked) internal var batchSchema: ObjectIdentifier?
    /// Events of the transaction ``countedTransaction``.
    @exclusivity(unchecked) internal var events: UInt64 = 0
    @exclusivity(unchecked) internal var countedTransaction: UInt64?

    /// Describes a table.
    ///
    /// - Parameters:
    ///   - namespace: the table's schema, or `nil` where the database has none.
    ///   - name: the table's own name.
    ///   - columns: the columns in the order of their cells.
    ///   - primaryKey: the columns that identify a row, in the order of the key.
    ///   - enforcesTypes: whether each cell is of its column's type.
    ///   - stream: what the changes will be appended to.
    /// - Throws: when the configuration names a key column that the table does not have.
    public init(
        namespace: String?,
        name: String,
        columns: [CapturedColumn],
        primaryKey: [Int],
        enforcesTypes: Bool = true,
        in stream: ChangeStream
    ) throws(ConnectorError) {
        let settings = stream.settings
        let parts = (namespace.map { [$0] } ?? []) + [name]
        let fullName = parts.joined(separator: ".")
        self.name = fullName
        self.columns = columns
        topic = settings.topic(parts)
        keyColumns = try Self.key(of: fullName, columns, primaryKey, settings)
        let all = columns.enumerated().map { ColumnPlan($1, at: $0, of: fullName, settings) }
        let plans = all.filter { settings.includes(column: $0.field.name, of: fullName) }
        keyPlans = keyColumns.map { all[$0] }
        keyIsPlain = keyPlans.allSatisfy(\.isPlain)
        keySchema = keyPlans.isEmpty ? nil : Schema(keyPlans.map(\.field))
        placeholder = settings.placeholder
        let isPlain = plans.count == columns.count && plans.allSatisfy(\.isPlain)
        self.plans = isPlain && placeholder == nil ? nil : plans
        before = RowShape(plans.map(\.field), enforcesTypes: enforcesTypes)
        after = RowShape(plans.map(\.field), enforcesTypes: enforcesTypes)
        metadataFields = stream.envelope.fields
        schema = Self.schema(before, after, metadataFields)
        let isDefault = namespace == nil || namespace == stream.source.defaultSchema
        let encoded = OutputBuffer(capacity: 128)
        HeaderWriter.append(
            "\(CapturedChangeHeader.table)",
            isDefault ? name : fullName,
            to: encoded
        )
        header = Fragment(encoded)
        source = Fragment(stream.envelope.sourceText(namespace: namespace, table: name))
        schemas[ObjectIdentifier(before.schema)] = [ObjectIdentifier(after.schema): schema]
    }

    private static func key(
        of table: String,
        _ columns: [CapturedColumn],
        _ primaryKey: [Int],
        _ settings: CaptureSettings
    ) throws(ConnectorError) -> [Int] {
        guard let names = settings.keyColumns(of: table) else {
            return primaryKey.filter(columns.indices.contains)
        }
        var key: [Int] = []
        for name in names {
            guard let index = columns.firstIndex(where: { $0.name == name }) else {
                throw .invalid(
                    CaptureKeys.keyColumns.declaration.name,
                    "The table `\(table)` has no column `\(name)`."
                )
            }
            key.append(index)
        }
        return key
    }

    private static func schema(
        _ before: RowShape,
        _ after: RowShape,
        _ metadata: [Field]
    ) -> Schema {
        Schema(
            [
                Field("before", .object(before.fields)), Field("after", .object(after.fields)),
            ] + metadata
        )
    }

    /// Adapts the schema to the values of rows, where the database does not enforce types.
    @inline(__always)
    internal func admit(_ old: UnsafePointer<Cell>?, _ new: UnsafePointer<Cell>?) {
        if before.isLoose { adapt(old, new) }
    }

    private func adapt(_ old: UnsafePointer<Cell>?, _ new: UnsafePointer<Cell>?) {
        var changed = false
        if let old, before.admit(old) { changed = true }
        if let new, after.admit(new) { changed = true }
        guard changed else { return }
        let first = ObjectIdentifier(before.schema)
        let second = ObjectIdentifier(after.schema)
        if let known = schemas[first]?[second] {
            schema = known
        } else {
            schema = Self.schema(before, after, metadataFields)
            schemas[first, default: [:]][second] = schema
        }
    }
}
