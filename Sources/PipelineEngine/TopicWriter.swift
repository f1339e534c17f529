internal import ConnectorSDK
internal import Glibc
internal import Topics

/// Encodes records into the batches of topics, partition by partition, for one task.
final class TopicWriter {
    /// The header that names the schema a value was written with.
    static let schemaHeader = "millrace.schema"

    private let producer: any TopicProducer
    private let provisioner: TopicProvisioner
    private let store: any TopicStore
    private let converters: ConverterPair
    private let strategy: Partitioner.Strategy
    private let makeDefinition: (String) throws(ConnectorError) -> TopicDefinition
    private var targets: [String: TopicTarget] = [:]
    private var lastTarget: TopicTarget?
    private var schema: Schema?
    private var schemaHeader: Chunk?

    init(
        producer: any TopicProducer,
        provisioner: TopicProvisioner,
        store: any TopicStore,
        converters: ConverterPair,
        strategy: Partitioner.Strategy,
        makeDefinition: @escaping (String) throws(ConnectorError) -> TopicDefinition
    ) {
        self.producer = producer
        self.provisioner = provisioner
        self.store = store
        self.converters = converters
        self.strategy = strategy
        self.makeDefinition = makeDefinition
    }

    /// The topic's partitions and settings, and the batches begun for it.
    func target(_ topic: String) throws(ConnectorError) -> TopicTarget {
        if let lastTarget, lastTarget.topic.name == topic { return lastTarget }
        let target: TopicTarget
        if let known = targets[topic] {
            target = known
        } else {
            let definition = try makeDefinition(topic)
            let description = try provisioner.topic(topic, orCreate: definition)
            target = TopicTarget(description, producer: producer, strategy: strategy)
            targets[topic] = target
        }
        lastTarget = target
        return target
    }

    /// Appends the batch's records to `unit`; those that cannot be written go to `rejections`.
    ///
    /// D5: records keep their order, and those with one key go to one partition.
    ///
    /// - Returns: the records and the bytes of their values.
    func append(
        _ batch: RecordBatch,
        to unit: inout CommitUnit,
        rejections: inout [Rejection]
    ) throws(ConnectorError) -> (records: Int, bytes: Int) {
        guard batch.count > 0 else { return (0, 0) }
        let target = try target(batch.topic)
        let bytes: Int
        let rejected: [RowRejection]
        if Self.isPlain(batch), strategy == .sticky {
            (bytes, rejected) = try target.appendPlain(batch, to: &unit)
        } else {
            (bytes, rejected) = try appendEncoded(batch, target, to: &unit)
        }
        try target.finishAll(into: &unit)
        target.batchIsComplete()
        let records = batch.count - rejected.count
        if !rejected.isEmpty { take(rejected, outOf: batch, &rejections) }
        return (records, bytes)
    }

    /// Rejects records that became several of which one cannot be written, before any is.
    ///
    /// The rows of the batches are numbered.
    func withdrawUnwritable(
        from batches: [RecordBatch],
        rejections: inout [Rejection]
    ) throws(ConnectorError) {
        guard RecordGroups.exist(in: batches) else { return }
        let before = rejections.count
        for batch in batches {
            let row = RowEncoder(batch, converters)
            var rejected: [RowRejection] = []
            for index in batch.indices {
                var stage = RecordStage.value
                do throws(ConnectorError) {
                    if !batch.metadata(index).pointee.isTombstone { _ = try row.value(index) }
                    stage = .key
                    _ = try row.key(index)
                } catch {
                    guard error.disposition == .rejectRecord else { throw error }
                    rejected.append(RowRejection(row: index, stage: stage, error: error))
                }
            }
            if !rejected.isEmpty { take(rejected, outOf: batch, &rejections) }
        }
        guard rejections.count > before else { return }
        RecordGroups.withdraw(from: batches, &rejections, after: before)
    }

    /// Whether all that is to be done is to copy values: opaque, without keys, headers or
    /// partitions.
    private static func isPlain(_ batch: RecordBatch) -> Bool {
        guard batch.schema.isOpaque, batch.keySchema == nil else { return false }
        for row in batch.indices {
            let metadata = batch.metadata(row)
            if metadata.pointee.partition >= 0 || metadata.pointee.headerCount > 0 { return false }
        }
        return true
    }

    private func appendEncoded(
        _ batch: RecordBatch,
        _ target: TopicTarget,
        to unit: inout CommitUnit
    ) throws(ConnectorError) -> (bytes: Int, rejected: [RowRejection]) {
        try registerSchema(of: batch)
        // Taken out of the objects once: each access in the loop would count references.
        let row = RowEncoder(batch, converters)
        let header = batch.schema.isOpaque ? nil : schemaHeader?.bytes
        var rejected: [RowRejection] = []
        var bytes = 0
        for index in batch.indices {
            var stage = RecordStage.value
            do throws(ConnectorError) {
                let metadata = batch.metadata(index).pointee
                let value = metadata.isTombstone ? nil : try row.value(index)
                stage = .key
                let key = try row.key(index)
                stage = .produce
                try target.append(metadata, key: key, value: value, extraHeader: header, to: &unit)
                bytes &+= value?.count ?? 0
            } catch {
                guard error.disposition == .rejectRecord else { throw error }
                rejected.append(RowRejection(row: index, stage: stage, error: error))
            }
        }
        return (bytes, rejected)
    }

    private func registerSchema(of batch: RecordBatch) throws(ConnectorError) {
        guard !batch.schema.isOpaque, schema !== batch.schema else { return }
        let id = try converters.value.schemaID(for: batch.schema, schemas: store)
        if let id {
            var header: [UInt8] = []
            RecordHeaders.append(Self.schemaHeader, String(id), to: &header)
            schemaHeader = Chunk(copying: header)
        } else {
            schemaHeader = nil
        }
        schema = batch.schema
    }

    private func take(
        _ rejected: [RowRejection],
        outOf batch: RecordBatch,
        _ rejections: inout [Rejection]
    ) {
        batch.reject(rejected.map { ($0.row, $0.error) })
        for (record, rejection) in zip(batch.takeRejections(), rejected) {
            let plugin =
                switch rejection.stage {
                case .key: type(of: converters.key).name
                case .value: type(of: converters.value).name
                default: "topic"
                }
            rejections.append(Rejection(record, rejection.stage, plugin: plugin))
        }
    }
}

/// The keys and values of one batch as bytes.
struct RowEncoder {
    private let batch: RecordBatch
    private let valueConverter: any Converter
    private let keyConverter: any Converter
    private let isOpaque: Bool
    private let hasKeys: Bool
    private let hasOpaqueKeys: Bool

    init(_ batch: RecordBatch, _ converters: ConverterPair) {
        self.batch = batch
        valueConverter = converters.value
        keyConverter = converters.key
        isOpaque = batch.schema.isOpaque
        hasKeys = batch.keySchema != nil
        hasOpaqueKeys = batch.keySchema?.isOpaque ?? false
    }

    @inline(__always)
    func value(_ row: Int) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        guard isOpaque else { return try valueConverter.encodeValue(batch, row: row) }
        let cell = batch.row(row).pointee
        return cell.isNil ? nil : cell.slice
    }

    @inline(__always)
    func key(_ row: Int) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        guard hasKeys, let cells = batch.keyRow(row) else { return nil }
        guard hasOpaqueKeys else { return try keyConverter.encodeKey(batch, row: row) }
        return cells.pointee.isNil ? nil : cells.pointee.slice
    }
}

/// A row that could not be written into a topic.
struct RowRejection {
    var row: Int
    var stage: RecordStage
    var error: ConnectorError
}

/// The converters of one task.
struct ConverterPair {
    let key: any Converter
    let value: any Converter

    init(_ configuration: Configuration, catalog: PluginCatalog) throws(ConnectorError) {
        key = try Self.make(.key, configuration, catalog)
        value = try Self.make(.value, configuration, catalog)
    }

    private static func make(
        _ role: ConverterRole,
        _ configuration: Configuration,
        _ catalog: PluginCatalog
    ) throws(ConnectorError) -> any Converter {
        let name = configuration.values[role.rawValue] ?? PluginCatalog.defaultConverter
        guard let type = catalog.converter(name) else {
            throw .invalid(role.rawValue, "There is no converter `\(name)`.")
        }
        let prefix = role.rawValue + "."
        do {
            return try type.init(configuration: configuration.nested(below: prefix))
        } catch {
            throw error.nested(below: prefix)
        }
    }
}
