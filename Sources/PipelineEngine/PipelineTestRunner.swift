internal import ConnectorSDK
internal import Synchronization

extension PluginCatalog {
    /// Runs the `tests:` block of a pipeline offline: records go through the connector's
    /// converters and transforms, and nothing is read or written.
    public func runTests(_ definition: PipelineDefinition) -> [PipelineTestResult] {
        definition.tests.map { test in
            do throws(ConnectorError) {
                return PipelineTestResult(name: test.name, problems: try run(test, in: definition))
            } catch {
                return PipelineTestResult(name: test.name, problems: [error.description])
            }
        }
    }

    private func run(
        _ test: PipelineTest,
        in definition: PipelineDefinition
    ) throws(ConnectorError) -> [String] {
        guard let connector = definition.connectors.first(where: { $0.name == test.connector })
        else {
            let names = definition.connectors.map(\.name)
            throw .invalid(
                "connector",
                "There is no connector `\(test.connector)` in this pipeline.",
                hint: Spelling.nearest(to: test.connector, in: names)
                    .map { "Did you mean `\($0)`?" }
            )
        }
        if let issue = validate(connector).first {
            throw .invalid(issue.key, "The key \(issue.message).")
        }
        let bench = try TestBench(connector, definition, catalog: self)
        let output = try bench.transform(test.input)
        let expected = try bench.normalize(test.expected)
        return TestComparison(
            expected: expected,
            actual: output.records,
            expectedRejections: test.rejected,
            rejections: output.rejections
        ).problems
    }
}

/// A connector's converters and transforms on a bench, with nothing at either end.
private final class TestBench {
    typealias Record = TestComparison.Record

    private let configuration: Configuration
    private let catalog: PluginCatalog
    private let isOpaque: Bool
    private let keyFields: [String]
    private let schemas = TestSchemas()

    init(
        _ connector: ConnectorDefinition,
        _ definition: PipelineDefinition,
        catalog: PluginCatalog
    ) throws(ConnectorError) {
        let values = catalog.values(of: connector)
        // Secrets of a server are no business of a test, so that one which is not there is none.
        let resolver = ReferenceResolver(baseDirectory: definition.baseDirectory)
        let resolved = (try? resolver.resolve(values))?.values ?? values
        configuration = Configuration(resolved, baseDirectory: definition.baseDirectory)
        self.catalog = catalog
        let isSource = connector.kind == .source
        keyFields = isSource ? try configuration.get(FrameworkKeys.keyFields) : []
        let format = isSource ? try? catalog.format(of: connector, configuration) : nil
        isOpaque = format?.isOpaque ?? false
    }

    func transform(
        _ input: [PipelineTest.Record]
    ) throws(ConnectorError) -> (records: [Record], rejections: [String]) {
        let transforms = try TransformChain(configuration, catalog: catalog)
        let converters = try ConverterPair(configuration, catalog: catalog)
        let keys = keyFields.isEmpty ? nil : KeyExtractor(fields: keyFields)
        var output: [PipelineTest.Record] = []
        var rejections: [Rejection] = []
        // One record at a time: a test shows what happens to a record, not to a batch.
        for record in input {
            let batch = try load(record, converters, decode: !isOpaque)
            batch.numberRows()
            if batch.count > 0 { try keys?.apply(batch) }
            rejections += batch.takeRejections().map { Rejection($0, .value, plugin: "converter") }
            for part in try transforms.apply(batch, rejections: &rejections) {
                for row in part.indices { output.append(try text(part, row, converters)) }
            }
            transforms.forgetChanges()
        }
        try transforms.due(.end, rejections: &rejections) { (part) throws(ConnectorError) in
            for row in part.indices { output.append(try text(part, row, converters)) }
        }
        return (try normalize(output), rejections.map(\.record.error.message))
    }

    /// Reads records as the topic's reader would, so that only what they say is compared.
    func normalize(_ records: [PipelineTest.Record]) throws(ConnectorError) -> [Record] {
        let converters = try ConverterPair(configuration, catalog: catalog)
        var result: [Record] = []
        for record in records {
            let batch = try load(record, converters, decode: true)
            if let problem = batch.takeRejections().first {
                let raw: [String: Value] = ["": .string(record.value ?? "")]
                guard isOpaque else { throw problem.error }
                result.append(Record(key: nil, fields: raw, headers: record.headers))
                continue
            }
            var fields: [String: Value]?
            if record.value != nil {
                fields = Self.fields(batch.schema, batch.row(0))
            }
            let key = batch.keySchema.flatMap { schema in
                batch.keyRow(0).map { Self.fields(schema, $0) }
            }
            result.append(
                Record(
                    key: record.key == nil ? nil : key,
                    fields: fields,
                    headers: record.headers.filter { $0.key != TopicWriter.schemaHeader }
                )
            )
        }
        return result
    }

    private static func fields(
        _ schema: Schema,
        _ cells: UnsafeMutablePointer<Cell>
    ) -> [String: Value] {
        var fields: [String: Value] = [:]
        for (column, name) in schema.names.enumerated() where cells[column].tag != .missing {
            let value = Value(cells[column])
            if case .json(let text) = value {
                fields[name] = .json(JSONSpacing.removed(from: text))
            } else {
                fields[name] = value
            }
        }
        return fields
    }

    private func load(
        _ record: PipelineTest.Record,
        _ converters: ConverterPair,
        decode: Bool
    ) throws(ConnectorError) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(
            topic: configuration.values["topic"] ?? "test",
            schema: .opaque,
            keySchema: record.key == nil ? nil : .opaque
        )
        let row = batch.appendRow()
        if let value = record.value {
            batch[row, 0] = batch.makeCell(.bytes(Array(value.utf8)))
            batch.metadata(row).pointee.raw = batch[row, 0].slice
        } else {
            batch[row, 0] = .null
            batch.metadata(row).pointee.isTombstone = true
        }
        if let key = record.key {
            batch.keyRow(row)?.pointee = batch.makeCell(.bytes(Array(key.utf8)))
        }
        var headers: [UInt8] = []
        for header in record.headers {
            RecordHeaders.append(header.key, header.value, to: &headers)
        }
        headers.withUnsafeBytes { bytes in
            batch.metadata(row).pointee.headers = batch.arena.copy(bytes)
        }
        batch.metadata(row).pointee.headerCount = UInt32(record.headers.count)
        guard decode else { return batch }
        try converters.value.decodeValues(batch, rest: RecordBatch(), schemas: schemas)
        if batch.count > 0, batch.keySchema != nil { try converters.key.decodeKeys(batch) }
        return batch
    }

    private func text(
        _ batch: RecordBatch,
        _ row: Int,
        _ converters: ConverterPair
    ) throws(ConnectorError) -> PipelineTest.Record {
        let metadata = batch.metadata(row).pointee
        var value: String?
        if !metadata.isTombstone {
            let bytes =
                batch.schema.isOpaque
                ? batch[row, 0].slice : try converters.value.encodeValue(batch, row: row)
            value = bytes.map { String(decoding: $0, as: UTF8.self) }
        }
        var key: String?
        if let schema = batch.keySchema, let cells = batch.keyRow(row) {
            let bytes =
                schema.isOpaque
                ? (cells.pointee.isNil ? nil : cells.pointee.slice)
                : try converters.key.encodeKey(batch, row: row)
            key = bytes.map { String(decoding: $0, as: UTF8.self) }
        }
        let headers = RecordHeaders.decode(metadata.headers, count: Int(metadata.headerCount))
        return PipelineTest.Record(
            key: key,
            value: value,
            headers: headers.map {
                PipelineTest.Header(
                    key: $0.key,
                    value: String(decoding: $0.value ?? [], as: UTF8.self)
                )
            }
        )
    }
}

/// Schemas for the length of a test.
private final class TestSchemas: SchemaRegistry {
    private let texts = Mutex<[String]>([])

    func register(_ json: String) -> Int32 {
        texts.withLock { texts in
            if let known = texts.firstIndex(of: json) { return Int32(known) + 1 }
            texts.append(json)
            return Int32(texts.count)
        }
    }

    func schema(_ id: Int32) -> String? {
        texts.withLock { $0.indices.contains(Int(id) - 1) ? $0[Int(id) - 1] : nil }
    }
}
