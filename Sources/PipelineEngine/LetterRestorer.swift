internal import ConnectorSDK
internal import Topics

/// Puts the records of dead letters into commits again, each where it came from.
///
/// Throws `.rejectRecord` for a dead letter that cannot be put back; nothing of it is then in the
/// commit.
final class LetterRestorer {
    private let store: any TopicStore
    private let producer: any TopicProducer
    private let catalog: PluginCatalog
    private let pipeline: DeadLetters.PipelineLookup
    private let provisioner: TopicProvisioner
    private var targets: [String: TopicTarget] = [:]
    private var sources: [String: SourceReplay] = [:]

    init(
        store: any TopicStore,
        producer: any TopicProducer,
        catalog: PluginCatalog,
        pipeline: @escaping DeadLetters.PipelineLookup
    ) {
        self.store = store
        self.producer = producer
        self.catalog = catalog
        self.pipeline = pipeline
        provisioner = TopicProvisioner(store: store, control: RunControl())
    }

    func restore(_ letter: DeadLetter, into unit: inout CommitUnit) throws(ConnectorError) {
        guard let topic = letter.context.topic else {
            throw ConnectorError(
                .init("dlq.no_context"),
                .rejectRecord,
                "The record does not say where it came from, so that it cannot be put back.",
                hint: "It was written with `errors.deadletterqueue.context.headers.enable: false`. "
                    + "Discard it."
            )
        }
        if letter.context.partition == nil {
            let source = try source(of: letter.context)
            // What is thrown away with this unit was never handed over.
            var own = CommitUnit()
            try source.replay(letter, into: &own)
            unit.batches += own.batches
        } else {
            try append(letter, to: try target(topic), &unit)
        }
    }

    private func source(of context: DeadLetterContext) throws(ConnectorError) -> SourceReplay {
        let name = context.connector ?? ""
        let identity = "\(name)\u{0}\(context.pipelineFile ?? "")"
        if let known = sources[identity] { return known }
        let source: SourceReplay
        do throws(ConnectorError) {
            source = try SourceReplay(
                of: name,
                in: try pipeline(context),
                catalog: catalog,
                store: store,
                producer: producer,
                provisioner: provisioner
            )
        } catch {
            // The other dead letters may be of sources that can be found.
            throw error.rejecting()
        }
        sources[identity] = source
        return source
    }

    private func target(_ name: String) throws(ConnectorError) -> TopicTarget {
        if let known = targets[name] { return known }
        guard let topic = try store.describe(name) else {
            throw ConnectorError(
                .init("dlq.no_topic"),
                .rejectRecord,
                "It came from the topic `\(name)`, which does not exist any more.",
                hint: "Create the topic, or discard the dead letter."
            )
        }
        let target = TopicTarget(topic, producer: producer, strategy: .sticky)
        targets[name] = target
        return target
    }

    private func append(
        _ letter: DeadLetter,
        to target: TopicTarget,
        _ unit: inout CommitUnit
    ) throws(ConnectorError) {
        guard !letter.context.isCut else { throw .cutLetter }
        var headers: [UInt8] = []
        for header in letter.headers {
            RecordHeaders.append(header.key, header.value, to: &headers)
        }
        let headerBytes = Chunk(copying: headers)
        let key = letter.key.map { Chunk(copying: $0) }
        let value = letter.value.map { Chunk(copying: $0) }
        var metadata = RecordMetadata()
        metadata.timestamp = letter.timestamp
        metadata.headers = UnsafeRawBufferPointer(headerBytes.bytes)
        metadata.headerCount = UInt32(letter.headers.count)
        // A topic made anew may have fewer partitions; the key then decides.
        let partition = letter.context.partition ?? -1
        metadata.partition = partition < target.topic.partitions ? partition : -1
        try target.append(
            metadata,
            key: key.map { UnsafeRawBufferPointer($0.bytes) },
            value: value.map { UnsafeRawBufferPointer($0.bytes) },
            to: &unit
        )
        // The addresses above are of these objects' memory.
        withExtendedLifetime((headerBytes, value, key)) {}
        try target.finishAll(into: &unit)
    }
}

extension ConnectorError {
    /// D6: the beginning of a record is not the record.
    static var cutLetter: ConnectorError {
        ConnectorError(
            .init("dlq.cut"),
            .rejectRecord,
            "The dead letter holds only the beginning of the record, or nothing of it.",
            hint: "Give the whole record with --value-from, or mend what the source reads and "
                + "reset its position there."
        )
    }

    /// The same as the fault of one record.
    func rejecting() -> ConnectorError {
        var copy = self
        copy.disposition = .rejectRecord
        return copy
    }
}
