internal import Aggregation
internal import ChangeTransforms
public import ConnectorSDK
internal import LineTransforms
internal import RowTransforms
internal import TopicRouting

/// The transforms that come with Millrace, under Kafka Connect's names.
public let builtInTransforms: [any Transform.Type] = [
    Aggregate.self, Cast.self, Dedupe.self, DropHeaders.self, Explode.self, ExtractField.self,
    Filter.self, Flatten.self, Hash.self, HeaderFrom.self, HoistField.self, InsertField.self,
    InsertHeader.self, Jq.self, Lookup.self, MaskField.self, Outbox.self, Parse.self,
    RegexRouter.self, ReplaceField.self, Sample.self, SetSchemaMetadata.self, Split.self,
    Throttle.self, TimestampConverter.self, TimestampFrom.self, TimestampRouter.self,
    Unwrap.self, ValueToKey.self,
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
