/// Where on its way a record was when it was rejected; the names are Kafka Connect's.
enum RecordStage: String, Sendable {
    /// While the source read it.
    case read = "TASK_POLL"
    /// While a converter read or wrote its key.
    case key = "KEY_CONVERTER"
    /// While a converter read or wrote its value.
    case value = "VALUE_CONVERTER"
    /// In a transform or predicate.
    case transform = "TRANSFORMATION"
    /// On its way into a topic.
    case produce = "KAFKA_PRODUCE"
    /// While the sink wrote it.
    case write = "TASK_PUT"
}
