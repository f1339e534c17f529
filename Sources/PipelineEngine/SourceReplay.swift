internal import ConnectorSDK
internal import Topics

/// Takes records that a source has rejected the source's way once more: its format, keys,
/// transforms and converters, as they are configured now.
final class SourceReplay {
    private let plan: ConnectorPlan
    private let store: any TopicStore
    private let format: (any RecordFormat)?
    private let converters: ConverterPair
    private let keys: KeyExtractor?
    private let transforms: TransformChain
    private let writer: TopicWriter

    init(
        of name: String,
        in pipeline: PipelineDefinition,
        catalog: PluginCatalog,
        store: any TopicStore,
        producer: any TopicProducer,
        provisioner: TopicProvisioner
    ) throws(ConnectorError) {
        let definition = pipeline.connectors.first { $0.name == name && $0.kind == .source }
        guard let definition else {
            throw ConnectorError(
                .init("dlq.no_source"),
                .rejectRecord,
                "There is no source `\(name)` in \(pipeline.file).",
                hint: "Name the pipeline file that has it with --pipeline."
            )
        }
        plan = try ConnectorPlan(definition, of: pipeline, catalog: catalog)
        self.store = store
        let configuration = plan.configuration
        format = try catalog.format(of: definition, configuration)
        converters = try ConverterPair(configuration, catalog: catalog)
        transforms = try TransformChain(configuration, catalog: catalog)
        let fields = try configuration.get(FrameworkKeys.keyFields)
        keys = fields.isEmpty ? nil : KeyExtractor(fields: fields)
        let choice = try configuration.get(FrameworkKeys.partitioner)
        writer = TopicWriter(
            producer: producer,
            provisioner: provisioner,
            store: store,
            converters: converters,
            strategy: choice == .roundRobin ? .roundRobin : .sticky
        ) { (topic) throws(ConnectorError) in
            // A topic that exists stays as it is: only a run changes topics.
            if let declared = pipeline.topics.first(where: { $0.name == topic }) { return declared }
            return try TopicProvisioner.written(topic, configuration)
        }
    }

    /// Puts the letter's record into `unit`; throws `.rejectRecord` when it cannot be read again.
    func replay(_ letter: DeadLetter, into unit: inout CommitUnit) throws(ConnectorError) {
        guard !letter.context.isCut else { throw .cutLetter }
        guard !transforms.keepsState else { throw Self.stateful }
        let batch: RecordBatch
        do throws(ConnectorError) {
            batch = try read(letter)
        } catch {
            throw plan.secrets.redact(error.rejecting())
        }
        batch.topic = letter.context.topic ?? ""
        restoreMetadata(of: letter, in: batch)
        batch.numberRows()
        if let keys {
            try keys.apply(batch)
        } else if let key = letter.key {
            batch.addKeys(.opaque)
            batch.keyRow(0)?.pointee = key.withUnsafeBytes { .slice(.bytes, batch.arena.copy($0)) }
        }
        var rejections = batch.takeRejections().map {
            Rejection($0, .key, plugin: FrameworkKeys.keyFields.declaration.name)
        }
        let parts = try transforms.apply(batch, rejections: &rejections)
        try writer.withdrawUnwritable(from: parts, rejections: &rejections)
        for part in parts {
            _ = try writer.append(part, to: &unit, rejections: &rejections)
        }
        guard let first = rejections.first else { return }
        var error = first.record.error
        error.message = "\(first.plugin) rejects it again: \(error.message)"
        throw plan.secrets.redact(error.rejecting())
    }

    /// What transforms remember belongs to the connector's commits.
    private static let stateful = ConnectorError(
        .init("dlq.stateful"),
        .rejectRecord,
        "The source's transforms remember earlier records, so that a single one cannot be put "
            + "through them.",
        hint: "Read into a topic without such transforms, and have a `topic` source apply them: "
            + "its dead letters go back into that topic."
    )

    /// The letter's own metadata: what was read has that of a text by itself.
    private func restoreMetadata(of letter: DeadLetter, in batch: RecordBatch) {
        // Whoever writes the value names the schema anew.
        let own = letter.headers.filter { $0.key != TopicWriter.schemaHeader }
        var headers: [UInt8] = []
        for header in own { RecordHeaders.append(header.key, header.value, to: &headers) }
        let metadata = batch.metadata(0)
        metadata.pointee.timestamp = letter.timestamp
        metadata.pointee.offset = letter.context.byte ?? -1
        metadata.pointee.line = letter.context.line ?? 0
        metadata.pointee.headers = headers.withUnsafeBytes { batch.arena.copy($0) }
        metadata.pointee.headerCount = UInt32(own.count)
    }
}

// MARK: - Reading

extension SourceReplay {
    /// A batch of the one record that the letter holds.
    private func read(_ letter: DeadLetter) throws(ConnectorError) -> RecordBatch {
        let batch = RecordBatch()
        guard let value = letter.value else {
            batch.appendRow()
            batch[0, 0] = .null
            batch.metadata(0).pointee.isTombstone = true
            return batch
        }
        if let format, !format.isOpaque, !letter.context.isConverted {
            try read(value, format, letter.context.recordContext, into: batch)
            return batch
        }
        let copy = value.withUnsafeBytes { batch.arena.copy($0) }
        batch.appendOpaque(copy)
        let isRead = plan.mirrorsTopics && (keys != nil || !transforms.isEmpty)
        if letter.context.isConverted || isRead { try convert(batch, letter) }
        return batch
    }

    private func read(
        _ text: [UInt8],
        _ format: any RecordFormat,
        _ context: String?,
        into batch: RecordBatch
    ) throws(ConnectorError) {
        let reader = try format.makeReader(ofRecord: context)
        var rest = text[...]
        let input = ByteInput(chunkSize: max(text.count, 1)) { room throws(ConnectorError) in
            let count = min(room.count, rest.count)
            room.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
        let more = RecordBatch()
        var target = batch
        while try reader.read(input, into: target) {
            target = more
            guard more.count == 0, more.rejections.isEmpty else { break }
        }
        try requireOne(batch, beside: more)
    }

    /// Reads what a value converter has written.
    private func convert(_ batch: RecordBatch, _ letter: DeadLetter) throws(ConnectorError) {
        var headers: [UInt8] = []
        for header in letter.headers {
            RecordHeaders.append(header.key, header.value, to: &headers)
        }
        let metadata = batch.metadata(0)
        metadata.pointee.headers = headers.withUnsafeBytes { batch.arena.copy($0) }
        metadata.pointee.headerCount = UInt32(letter.headers.count)
        let rest = RecordBatch()
        try converters.value.decodeValues(batch, rest: rest, schemas: store)
        try requireOne(batch, beside: rest)
    }

    private func requireOne(
        _ batch: RecordBatch,
        beside more: RecordBatch
    ) throws(ConnectorError) {
        if let rejection = (batch.takeRejections() + more.takeRejections()).first {
            throw rejection.error
        }
        let count = batch.count + more.count
        if batch.count == 1, count == 1 { return }
        throw ConnectorError(
            .init("dlq.not_one_record"),
            .rejectRecord,
            count == 0 ? "The text holds no record." : "The text holds more than one record."
        )
    }
}

extension PluginCatalog {
    /// The format that a connector's configuration chooses, if the connector uses one.
    func format(
        of definition: ConnectorDefinition,
        _ configuration: Configuration
    ) throws(ConnectorError) -> (any RecordFormat)? {
        guard let plugin = plugin(of: definition), plugin.usesFormat else { return nil }
        let fallback = plugin.type.configuration.declaration(for: "format")?.defaultText
        guard let name = configuration.values["format"] ?? fallback else { return nil }
        return try formats.make(name, configuration: configuration)
    }
}
