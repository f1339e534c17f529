internal import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// How changes of one schema become rows.
internal final class UnwrapPlan {
    let operation: Int
    let before: Int?
    let after: Int?
    let afterRows: NestedRows
    /// The same as ``afterRows`` when rows are told alike before and after.
    let beforeRows: NestedRows
    let fields: ChangeParts
    let headers: ChangeParts
    let marksDeletions: Bool
    private var widened = DerivedSchema<Schema>()
    private var typedKeys: [ObjectIdentifier: (source: Schema, typed: Schema)] = [:]

    /// The name of the field that says whether a row was deleted.
    private static let deleted = "__deleted"

    /// `nil` when records of the schema are no changes.
    init?(
        _ schema: Schema,
        fields: [ChangeReference],
        headers: [ChangeReference],
        marksDeletions: Bool
    ) {
        guard let operation = schema.index(of: "op") else { return nil }
        before = schema.index(of: "before")
        after = schema.index(of: "after")
        guard before != nil || after != nil else { return nil }
        self.operation = operation
        let afterType = after.map { schema.fields[$0].type } ?? .any
        let beforeType = before.map { schema.fields[$0].type } ?? .any
        afterRows = NestedRows(afterType)
        beforeRows = beforeType == afterType ? afterRows : NestedRows(beforeType)
        self.fields = ChangeParts(fields, in: schema)
        self.headers = ChangeParts(headers, in: schema)
        self.marksDeletions = marksDeletions
    }

    /// The number of columns that are added behind the row's.
    var addedCount: Int { fields.fields.count + (marksDeletions ? 1 : 0) }

    /// The columns of rows with what is added to them.
    func widened(_ schema: Schema) -> Schema {
        let made = try? widened.plan(for: schema) { schema throws(ConnectorError) in
            let mark = marksDeletions ? [Field(Self.deleted, .string)] : []
            return schema.with(schema.fields + fields.fields + mark)
        }
        return made ?? schema
    }

    /// The key's columns with the types of the row's; `nil` when they have them.
    func typed(_ keys: Schema, by rows: NestedRows) -> Schema? {
        guard let row = rows.schema, !keys.isOpaque else { return nil }
        if let known = typedKeys[ObjectIdentifier(keys)] {
            return known.typed === keys ? nil : known.typed
        }
        let fields = keys.fields.map { field in
            guard let column = row.index(of: field.name) else { return field }
            var typed = row.fields[column]
            typed.isOptional = field.isOptional
            return typed
        }
        let typed = fields == keys.fields ? keys : Schema(fields)
        // Keys are decoded to few schemas; should there be more, they are worked out again.
        if typedKeys.count > 64 { typedKeys.removeAll() }
        typedKeys[ObjectIdentifier(keys)] = (keys, typed)
        return typed === keys ? nil : typed
    }
}
