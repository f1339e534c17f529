internal import ConnectorSDK
internal import Topics

/// What a source outlet does to records that come from topics: it decodes them for transforms, and
/// keeps what these leave alone.
final class TopicInput {
    private let converters: ConverterPair
    private let keeper: RecordKeeper
    private let store: any TopicStore
    private var rest = RecordBatch()
    private var otherRest = RecordBatch()

    init(_ task: TaskEnvironment, _ converters: ConverterPair, _ placement: RecordPlacement) {
        self.converters = converters
        keeper = RecordKeeper(converters, placement)
        store = task.store
    }

    /// Where a batch was read.
    func place(of batch: RecordBatch) -> TopicPartition? {
        guard batch.count > 0, let topic = batch.origin else { return nil }
        return TopicPartition(topic, batch.metadata(0).pointee.partition)
    }

    /// Notes what is to be kept of a batch whose rows are numbered.
    func begin(_ batch: RecordBatch) { keeper.begin(batch) }

    /// Makes fields of the values and keys, as far as one schema holds them; what follows is
    /// ``takeRest()``.
    func decode(
        _ batch: RecordBatch,
        _ rejections: inout [Rejection]
    ) throws(ConnectorError) {
        rest.reset(topic: batch.topic)
        try converters.value.decodeValues(batch, rest: rest, schemas: store)
        // What is split off knows its topic, but not where it was read.
        rest.origin = batch.origin
        take(batch, .value, type(of: converters.value).name, &rejections)
        if batch.keySchema != nil {
            try converters.key.decodeKeys(batch)
            take(batch, .key, type(of: converters.key).name, &rejections)
        }
        keeper.noteDecoded(batch)
    }

    /// The records, undecoded, that need another schema than those before; `nil` for none.
    func takeRest() -> RecordBatch? {
        guard rest.count > 0 else { return nil }
        swap(&rest, &otherRest)
        return otherRest
    }

    /// Gives records their keys and partitions, before they are written.
    func finish(_ part: RecordBatch) throws(ConnectorError) { try keeper.finish(part) }

    /// Takes out deletions, which have no fields that another key could be made of: passed on
    /// without a key, or under the old one, they would delete nothing. (D6)
    func rejectTombstones(_ batch: RecordBatch) {
        batch.reject(
            batch.indices.filter { batch.metadata($0).pointee.isTombstone }.map { ($0, .noFields) }
        )
    }

    private func take(
        _ batch: RecordBatch,
        _ stage: RecordStage,
        _ plugin: String,
        _ rejections: inout [Rejection]
    ) {
        for record in batch.takeRejections() {
            rejections.append(Rejection(record, stage, plugin: plugin))
        }
    }
}

extension ConnectorError {
    fileprivate static var noFields: ConnectorError {
        ConnectorError(
            .init("engine.tombstone_without_fields"),
            .rejectRecord,
            "The record is a tombstone, which has no fields to make another key of.",
            at: FrameworkKeys.keyFields.declaration.name
        )
    }
}
