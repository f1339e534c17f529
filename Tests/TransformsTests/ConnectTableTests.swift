import ConnectorSDK
import Foundation
import JSONDocuments
import Testing

@testable import RecordFields
@testable import Transforms

/// One line of the table that scripts/connect-transforms writes.
struct ConnectCase: CustomTestStringConvertible {
    let document: JSONDocument

    var name: String { document["name"]?.string ?? "" }
    var testDescription: String { name }

    static let all: [ConnectCase] = {
        let path = #filePath.replacing("ConnectTableTests.swift", with: "ConnectTable/table.jsonl")
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { JSONDocument(parsing: String($0)) }
            .map { ConnectCase(document: $0) }
    }()

    static func cases(_ kind: String) -> [ConnectCase] {
        all.filter { $0.name.hasPrefix(kind) }
    }

    /// What Kafka Connect does, in the words of ``outcome()``.
    var expected: String {
        if let error = document["error"]?.string {
            return error == "configuration" ? "configuration" : "error"
        }
        if document["dropped"] != nil { return "dropped" }
        if let matches = document["matches"]?.bool { return "\(matches)" }
        if let steps = document["steps"] { return steps.text }
        let given = document["record"]
        let result = document["result"]
        func member(_ name: String) -> JSONDocument? { result?[name] ?? given?[name] }
        var parts = ["to \(member("topic")?.string ?? "orders")"]
        for part in [RecordPart.key, .value] {
            parts.append(Self.text(ConnectData(member(part.rawValue)), part))
        }
        for header in result?["headers"]?.array ?? [] {
            let text = header.array?[1].string ?? ""
            parts.append("\(header.array?[0].string ?? "")=\(text.isEmpty ? "nothing" : text)")
        }
        return parts.joined(separator: "; ")
    }

    private static func text(_ data: ConnectData?, _ part: RecordPart) -> String {
        let batch = RecordBatch()
        guard let data else { return "no \(part)" }
        let cells = data.cells(in: batch)
        return text(data.columns(part), cells, isTyped: data.schema != nil, part)
    }

    static func text(
        _ schema: Schema,
        _ cells: [Cell],
        isTyped: Bool,
        _ part: RecordPart
    ) -> String {
        if schema.isWhole, cells.first?.isNil ?? true { return "no \(part)" }
        var values = zip(schema.names, cells).filter { $1.tag != .missing }
            .map { "\($0): \(ConnectText.text(Value($1)))" }
        // Maps have no order.
        if !isTyped { values.sort() }
        let types = isTyped ? " as (\(ConnectText.text(schema)))" : ""
        return "\(part) {\(values.joined(separator: ", "))}\(types)"
    }
}

@Suite("Kafka Connect's transforms")
struct ConnectTableTests {
    @Test("the table is there, with cases for every transform and predicate")
    func isComplete() {
        let kinds = Set(
            ConnectCase.all.map { String($0.name.prefix { $0 != "$" && $0 != ":" }) }
        )
        let models =
            builtInTransforms.compactMap { $0.className }
            + builtInPredicates.compactMap { $0.className }
        let names = models.filter { $0.hasPrefix(connectPackage) }
            .map { String($0.dropFirst(connectPackage.count)) }
        #expect(names.count == 19)
        for name in names { #expect(kinds.contains(name), "\(name)") }
    }

    @Test(
        "each does what Kafka Connect's does, or differs for a reason",
        arguments: [
            "Cast", "DropHeaders", "ExtractField", "Filter", "Flatten", "HeaderFrom", "HoistField",
            "InsertField", "InsertHeader", "MaskField", "RegexRouter", "ReplaceField",
            "SetSchemaMetadata", "TimestampConverter", "TimestampRouter", "ValueToKey",
            "predicates.", "path ",
        ]
    )
    func agrees(kind: String) throws {
        let cases = ConnectCase.cases(kind)
        #expect(!cases.isEmpty)
        for item in cases {
            let outcome = try item.outcome()
            if let ours = item.document["ours"]?.string {
                #expect(outcome == ours, "\(item.name): Kafka Connect does \(item.expected)")
                #expect(ours != item.expected, "\(item.name) does not differ")
                #expect(item.document["differs"]?.string?.isEmpty == false)
            } else {
                #expect(outcome == item.expected, "\(item.name)")
            }
        }
    }
}

extension ConnectCase {
    /// What Millrace does with the case: `configuration` or `error`, `dropped`, the record it makes,
    /// or what a predicate or path is.
    func outcome() throws -> String {
        if let path = document["path"]?.string {
            let syntax = document["syntax"]?.string == "V2" ? FieldSyntax.nested : .plain
            guard let parsed = try? FieldPath(path, syntax: syntax) else { return "configuration" }
            return JSONDocument.array(parsed.steps.map { .string($0) }).text
        }
        var values: [String: String] = [:]
        for (name, value) in document["config"]?.fields ?? [] { values[name] = value.string }
        let type = document["type"]?.string ?? ""
        let batch = makeBatch()
        do {
            if let predicate = builtInPredicates.first(where: { $0.className == Self.full(type) }) {
                guard predicate.configuration.validate(values).isEmpty else {
                    return "configuration"
                }
                let made = try predicate.init(configuration: Configuration(values))
                return "\(try made.matches(batch, row: 0))"
            }
            guard let transform = try Self.transform(type, values) else { return "configuration" }
            return Self.outcome(try transform.split(batch), isTyped: isTyped)
        } catch let error as ConnectorError {
            return error.kind == .configuration && (try? Self.transform(type, values)) == nil
                ? "configuration" : "error"
        }
    }

    private static func full(_ type: String) -> String { connectPackage + type }

    /// The transform of a type with `$Key` or `$Value`; `nil` when its keys are wrong.
    private static func transform(
        _ type: String,
        _ values: [String: String]
    ) throws -> (any Transform)? {
        let parts = type.split(separator: "$")
        let found = try #require(builtInTransforms.first { $0.className == full("\(parts[0])") })
        var values = values
        // Kafka Connect's Filter has no condition, and nothing but its predicate.
        if parts[0] == "Filter" { values["predicate"] = "any" }
        let known = values.filter { $0.key != "predicate" }
        guard found.configuration.validate(known).isEmpty else { return nil }
        let configuration = Configuration(values)
        guard parts.count == 2, let sided = found as? any PartTransform.Type else {
            return try found.init(configuration: configuration)
        }
        let part: RecordPart = parts[1] == "Key" ? .key : .value
        return try sided.init(configuration: configuration, part: part)
    }

    /// Whether the record has schemas.
    private var isTyped: Bool {
        let record = document["record"]
        return record?["value"]?["schema"] != nil || record?["key"]?["schema"] != nil
    }

    /// The record of the case as a batch.
    private func makeBatch() -> RecordBatch {
        let record = document["record"]
        let key = ConnectData(record?["key"]), value = ConnectData(record?["value"])
        let batch = RecordBatch()
        batch.reset(
            topic: record?["topic"]?.string ?? "orders",
            schema: value?.columns(.value) ?? Schema([Field]()),
            keySchema: key?.columns(.key)
        )
        batch.appendRow()
        for (column, cell) in (value?.cells(in: batch) ?? []).enumerated() {
            batch[0, column] = cell
        }
        for (column, cell) in (key?.cells(in: batch) ?? []).enumerated() {
            batch.keyRow(0)?[column] = cell
        }
        let metadata = batch.metadata(0)
        metadata.pointee.isTombstone =
            value == nil || (value?.columns(.value).isWhole == true && batch[0, 0].isNil)
        metadata.pointee.partition = 3
        metadata.pointee.offset = 42
        if let timestamp = record?.fields?.first(where: { $0.0 == "timestamp" })?.1 {
            metadata.pointee.timestamp = timestamp.int ?? RecordMetadata.noTimestamp
        } else {
            metadata.pointee.timestamp = 1_700_000_000_123
        }
        addHeaders(record?["headers"]?.array ?? [], to: batch)
        return batch
    }

    private func addHeaders(_ headers: [JSONDocument], to batch: RecordBatch) {
        let output = OutputBuffer(capacity: 256)
        for header in headers {
            let value = ConnectData(header.array?[1]).map { ConnectData.value($0.value, $0.schema) }
            let text: String? =
                switch value {
                case .string(let text): text
                case .int(let number): "\(number)"
                default: nil
                }
            let name = Chunk(copying: (header.array?[0].string ?? "").utf8)
            let bytes = text.map { Chunk(copying: $0.utf8) }
            HeaderWriter.append(
                UnsafeRawBufferPointer(name.bytes),
                bytes.map { UnsafeRawBufferPointer($0.bytes) },
                to: output
            )
        }
        batch.metadata(0).pointee.headers = batch.arena.copy(output.bytes)
        batch.metadata(0).pointee.headerCount = UInt32(headers.count)
    }

    private static func outcome(_ parts: [RecordBatch], isTyped: Bool) -> String {
        if parts.contains(where: { !$0.rejections.isEmpty }) { return "error" }
        guard let batch = parts.first(where: { $0.count > 0 }) else { return "dropped" }
        var texts = ["to \(batch.topic)"]
        for part in [RecordPart.key, .value] {
            guard !batch.lacks(part, row: 0), let schema = batch.schema(of: part) else {
                texts.append("no \(part)")
                continue
            }
            let cells = (0..<schema.count).map { batch.cells(of: part, 0)[$0] }
            let isTyped = isTyped && (schema.declaresTypes || schema.count == 0)
            texts.append(ConnectCase.text(schema, cells, isTyped: isTyped, part))
        }
        var reader = HeaderReader(bytes: batch.metadata(0).pointee.headers)
        for _ in 0..<batch.metadata(0).pointee.headerCount {
            guard let name = reader.next(), let value = reader.next() else { break }
            let text = value.baseAddress == nil ? "nothing" : String(decoding: value, as: UTF8.self)
            texts.append("\(String(decoding: name, as: UTF8.self))=\(text)")
        }
        return texts.joined(separator: "; ")
    }
}
