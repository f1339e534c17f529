public import ConnectorSDK

/// The transforms that come with Millrace, under Kafka Connect's names.
public let builtInTransforms: [any Transform.Type] = [
    Cast.self, Filter.self, InsertField.self, Outbox.self, ReplaceField.self, Unwrap.self,
]

/// The predicates that come with Millrace, under Kafka Connect's names.
public let builtInPredicates: [any Predicate.Type] = [
    HasHeaderKey.self, RecordIsTombstone.self, TopicNameMatches.self,
]

extension ConnectorError.Code {
    /// A transform that names fields met a record whose value has none.
    internal static let noFields = Self("transform.no_fields")
    /// A value is not of the type it was to become.
    internal static let cast = Self("transform.cast")
    /// Two fields would have one name.
    internal static let duplicateField = Self("transform.duplicate_field")
}

extension RecordBatch {
    /// Whether the values have fields; if not, rejects all records but tombstones.
    internal func requireFields(for transform: any Transform.Type) -> Bool {
        guard schema.isOpaque else { return true }
        let error = ConnectorError(
            .noFields,
            .rejectRecord,
            "The transform \(transform.name) needs fields, and the value is opaque.",
            hint: "Choose a format or a value.converter that gives fields, such as json."
        )
        reject(
            indices.filter { !metadata($0).pointee.isTombstone }.map { (row: $0, error: error) }
        )
        return false
    }
}
