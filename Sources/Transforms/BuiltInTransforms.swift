public import ConnectorSDK

/// The transforms that come with Millrace, under Kafka Connect's names.
public let builtInTransforms: [any Transform.Type] = [
    Aggregate.self, Cast.self, Dedupe.self, Explode.self, Filter.self, Hash.self,
    InsertField.self, Jq.self, Lookup.self, Outbox.self, Parse.self, ReplaceField.self,
    Sample.self, Split.self, Throttle.self, TimestampFrom.self, Unwrap.self,
]

/// The predicates that come with Millrace, under Kafka Connect's names.
public let builtInPredicates: [any Predicate.Type] = [
    HasHeaderKey.self, RecordIsTombstone.self, TopicNameMatches.self,
]

extension ConnectorError.Code {
    /// A value is not of the type it was to become.
    internal static let cast = Self("transform.cast")
    /// Two fields would have one name.
    internal static let duplicateField = Self("transform.duplicate_field")
}
