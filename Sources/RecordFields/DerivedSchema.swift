package import ConnectorSDK

/// What a transform works out from a schema, kept for as long as batches have that schema.
package struct DerivedSchema<Plan> {
    @usableFromInline internal var source: Schema?
    @usableFromInline internal var plan: Plan?

    /// Begins without a plan.
    @inlinable
    package init() {}

    /// The plan for `schema`: the last one if the schema is the same object, else a new one.
    @inlinable
    package mutating func plan(
        for schema: Schema,
        make: (Schema) throws(ConnectorError) -> Plan
    ) throws(ConnectorError) -> Plan {
        if let plan, source === schema { return plan }
        let made = try make(schema)
        source = schema
        plan = made
        return made
    }
}
