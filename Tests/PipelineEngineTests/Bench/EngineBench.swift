import ConnectorSDK
import Converters
import Logging
@testable import PipelineEngine
import RowTransforms
import TestServices
import Testing
import TopicConnector
import TopicLog
import Topics
import Transforms

/// A data directory with a real store, and pipelines of scripted connectors on it.
final class EngineBench: Sendable {
    let directory: TemporaryDirectory
    let store: any TopicStore
    private let made: StoreKind.Made

    static let catalog = PluginCatalog(
        sources: [ScriptedSource.self, TopicSource.self],
        sinks: [ScriptedSink.self, TopicSink.self],
        converters: [JSONConverter.self, StringConverter.self],
        transforms: [
            MarkTransform.self, DropTransform.self, ScatterTransform.self, Cast.self, Explode.self,
        ],
        predicates: [EvenPredicate.self]
    )

    /// Logs nothing: tests look at what happens.
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(_ kind: StoreKind = .embedded) throws {
        directory = try TemporaryDirectory()
        made = try kind.make(in: directory, Self.logger)
        store = made.store
    }

    deinit { store.close() }

    func runner(
        _ pipelines: [PipelineDefinition],
        untilEnd: Bool = false,
        // Also ends all waiting for a cluster, which a store that is used again goes on with.
        drainTimeout: Duration = .seconds(600),
        logger: Logger = EngineBench.logger
    ) -> PipelineRunner {
        PipelineRunner(
            pipelines,
            store: store,
            catalog: Self.catalog,
            options: RunOptions(
                dataDirectory: directory.file("data"),
                untilEnd: untilEnd,
                drainTimeout: drainTimeout
            ),
            logger: logger
        )
    }

    func run(
        _ connectors: ConnectorDefinition...,
        topics: [TopicDefinition] = []
    ) async -> RunSummary {
        await runner([pipeline("test", connectors, topics: topics)]).run()
    }

    func pipeline(
        _ name: String,
        _ connectors: [ConnectorDefinition],
        topics: [TopicDefinition] = []
    ) -> PipelineDefinition {
        PipelineDefinition(
            name: name,
            baseDirectory: directory.path,
            topics: topics,
            connectors: connectors
        )
    }

    /// A record as the topic has it.
    struct Stored: Equatable {
        var partition: Int32
        var offset: Int64
        var key: String?
        var value: String?
        var headers: [String: String]
    }

    func records(_ topic: String) throws -> [Stored] {
        var found: [Stored] = []
        for partition in 0..<(try store.describe(topic)?.partitions ?? 0) {
            let place = TopicPartition(topic, partition)
            let start = try store.offsets(of: place).start
            let reader = try store.makeReader(place, from: start)
            let batch = RecordBatch()
            while true {
                batch.reset(topic: topic)
                guard try reader.read(into: batch) > 0 else { break }
                for row in batch.indices { found.append(Self.stored(batch, row)) }
            }
        }
        return found
    }

    /// Removes all records but those of the last segment.
    func removeOldRecords(of topic: String) throws {
        var settings = try store.describe(topic)?.settings ?? TopicSettings()
        settings.retentionBytes = 1
        try store.alter(topic, settings: settings)
        try #require(store as? EmbeddedTopicStore).runMaintenance(now: 0)
    }

    /// Waits until a topic that is being written has so many records.
    func waitForRecords(_ count: Int, of topic: String) async throws {
        // Attempts count as well as time: other tests may keep the writer from running for long.
        let deadline = ContinuousClock.now + .seconds(120)
        var attempts = 0
        while try records(topic).count < count {
            guard .now < deadline || attempts < 20_000 else { break }
            attempts += 1
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    func values(_ topic: String) throws -> [String] { try records(topic).compactMap(\.value) }

    private static func stored(_ batch: RecordBatch, _ row: Int) -> Stored {
        let metadata = batch[metadata: row]
        var headers: [String: String] = [:]
        for header in RecordHeaders.decode(metadata.headers, count: Int(metadata.headerCount)) {
            headers[header.key] = String(decoding: header.value ?? [], as: UTF8.self)
        }
        let key = batch.keyRow(row).flatMap { $0.pointee.isNil ? nil : $0.pointee.slice }
        return Stored(
            partition: metadata.partition,
            offset: metadata.offset,
            key: key.map { String(decoding: $0, as: UTF8.self) },
            value: metadata.isTombstone
                ? nil : String(decoding: batch[row, 0].slice, as: UTF8.self),
            headers: headers
        )
    }

    /// Writes texts into a topic, as a source of their own would.
    func fill(_ topic: String, _ texts: [String], partitions: Int32 = 1) async throws {
        if try store.describe(topic) == nil {
            try store.create(topic, partitions: partitions, settings: TopicSettings())
        }
        let script = SourceScript { (run) async throws(ConnectorError) in
            let batch = run.outlet.makeBatch(topic: topic, schema: .opaque)
            for (index, text) in texts.enumerated() {
                batch.appendText(text)
                batch.metadata(index).pointee.partition = Int32(index) % partitions
            }
            let name = "fill"
            try await run.outlet.send(batch, position: SourcePosition(partition: name, offset: "1"))
        }
        _ = await runner([pipeline("fill", [.source("fill-\(topic)", script, topic: topic)])]).run()
    }
}

extension ConnectorDefinition {
    static func source(
        _ name: String,
        _ script: SourceScript,
        topic: String? = "numbers",
        _ values: [String: String] = [:]
    ) -> ConnectorDefinition {
        var all = values
        all["script"] = ScriptedSource.scripts.add(script)
        all["topic"] = topic
        return ConnectorDefinition(name: name, kind: .source, plugin: "scripted", values: all)
    }

    static func sink(
        _ name: String,
        _ script: SinkScript,
        topics: String = "numbers",
        _ values: [String: String] = [:]
    ) -> ConnectorDefinition {
        var all = values
        all["script"] = ScriptedSink.scripts.add(script)
        if values["topics.regex"] == nil { all["topics"] = topics }
        return ConnectorDefinition(name: name, kind: .sink, plugin: "scripted", values: all)
    }
}

extension RunSummary {
    /// The progress of one connector.
    func connector(_ name: String) -> ConnectorProgress? {
        pipelines.flatMap(\.connectors).first { $0.name == name }
    }
}

extension ConnectorError {
    /// An error that may pass, at once.
    static let passing = ConnectorError(.init("scripted.busy"), .retry(after: .zero), "Busy.")
}
