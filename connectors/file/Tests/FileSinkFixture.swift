import Compression
import ConnectorSDK
import ConnectorTesting
import Foundation
import LinesFormat
import Logging
import TestServices
import Testing

@testable import FileConnector

/// A directory for output, and sinks into it.
final class FileSinkFixture {
    static let topic = SinkScenario.topic

    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    func sink(
        _ values: [String: String] = [:],
        task: Int = 0,
        of tasks: Int = 1
    ) throws(ConnectorError) -> FileSink {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let given = ["path": "out/data.txt"].merging(values) { $1 }
        return try FileSink(
            configuration: Configuration(given, baseDirectory: directory.path),
            context: ConnectorContext(
                name: "files",
                taskID: task,
                taskCount: tasks,
                stateDirectory: directory.file("state"),
                formats: FormatCatalog([LinesFormat.self, FramedFormat.self, HeadedFormat.self]),
                logger: logger
            )
        )
    }

    /// Fills a batch with lines, or with fields for the formats that want them.
    static func fill(_ batch: RecordBatch, _ numbers: Range<Int>, fields: Bool) {
        if fields {
            for number in numbers {
                batch.append([
                    "number": .int(Int64(number)), "name": .string("name \(number % 3)"),
                ])
            }
        } else {
            for number in numbers {
                let row = batch.appendRow()
                let cell = batch.makeCell(.string("record \(number)"))
                batch[row, 0] = cell
                batch.metadata(row).pointee.raw = cell.slice
            }
        }
    }

    func scenario(_ values: [String: String]) -> SinkScenario {
        let fields = values["format"] != nil
        return SinkScenario(
            makeSink: { try self.sink(values) },
            fill: { Self.fill($0, $1, fields: fields) },
            spoil: { batch, row in
                batch[row, 0] = batch.makeCell(fields ? .bytes([0]) : .string("torn\nin two"))
            },
            contents: { try self.numbers() }
        )
    }

    func batch(_ numbers: Range<Int>, _ values: [String: String] = [:], partition: Int32 = 0)
        -> RecordBatch
    {
        scenario(values).batch(numbers, partition: partition)
    }

    /// The visible files in `out`, however deep, sorted.
    func names() -> [String] {
        let found = FileManager.default.enumerator(atPath: directory.file("out"))
        let names = (found?.allObjects as? [String]) ?? []
        // A file without a number comes before those with one.
        func order(_ name: String) -> String { name.replacing(".", with: " ") }
        return names.filter { name in
            var isDirectory: ObjCBool = false
            _ = FileManager.default.fileExists(
                atPath: directory.file("out/" + name),
                isDirectory: &isDirectory
            )
            return !isDirectory.boolValue && !(name as NSString).lastPathComponent.hasPrefix(".")
        }.sorted { order($0) < order($1) }
    }

    func hiddenNames() -> [String] {
        let found = FileManager.default.enumerator(atPath: directory.file("out"))
        return ((found?.allObjects as? [String]) ?? []).filter {
            ($0 as NSString).lastPathComponent.hasPrefix(".")
        }.sorted()
    }

    /// The decompressed text of a file in `out`.
    func text(_ name: String) throws -> String {
        let bytes = Array(try Data(contentsOf: URL(filePath: directory.file("out/" + name))))
        let kind = bytes.withUnsafeBytes { CompressionKind.detect($0) }
        var rest = bytes[...]
        let source: ByteInput.Source = { room throws(ConnectorError) in
            let count = min(room.count, rest.count)
            room.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
        guard let stream = try kind.makeDecompressor(reading: source) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        let room = Chunk(capacity: 1 << 20)
        var text: [UInt8] = []
        while true {
            let count = try stream.read(into: room.bytes)
            if count == 0 { return String(decoding: text, as: UTF8.self) }
            text += room.bytes.prefix(count)
        }
    }

    /// What the usual tool makes of a compressed file in `out`.
    func decompressed(_ name: String, by tool: String) throws -> String {
        try Program.run([tool, "-dc", directory.file("out/" + name)])
    }

    /// The numbers of the records in all files, in the order of the files' names.
    func numbers() throws -> [Int] {
        try names().flatMap { try numbers($0) }
    }

    func numbers(_ name: String) throws -> [Int] {
        try text(name).split(separator: "\n").compactMap { line in
            guard !line.hasPrefix("<") else { return nil }
            let digits = line.hasPrefix("record ") ? line.dropFirst(7) : line.prefix { $0 != "|" }
            let number = Int(digits)
            #expect(number != nil, "torn: \(line)")
            return number
        }
    }
}

/// Rows between a first and a last line, as in XML.
final class FramedFormat: RecordFormat {
    static let name = "framed"
    static let summary = "For tests."
    static let configuration = ConfigSpec()

    init(configuration: Configuration) throws(ConnectorError) {}

    var isOpaque: Bool { false }

    func makeReader(at position: ReaderPosition?) throws(ConnectorError) -> any RecordReader {
        BrittleReader(position ?? ReaderPosition())
    }

    func makeWriter() throws(ConnectorError) -> any RecordWriter { RowWriter(end: "</rows>\n") }
}

/// Rows below a line of names, as in CSV.
final class HeadedFormat: RecordFormat {
    static let name = "headed"
    static let summary = "For tests."
    static let configuration = ConfigSpec()

    init(configuration: Configuration) throws(ConnectorError) {}

    var isOpaque: Bool { false }

    func makeReader(at position: ReaderPosition?) throws(ConnectorError) -> any RecordReader {
        BrittleReader(position ?? ReaderPosition())
    }

    func makeWriter() throws(ConnectorError) -> any RecordWriter { RowWriter(end: "") }
}

final class RowWriter: RecordWriter {
    private let ending: String
    private var hasBegun = false

    init(end: String) { ending = end }

    func begin(_ batch: RecordBatch, into output: OutputBuffer) throws(ConnectorError) {
        output.append("<\(batch.schema.names.joined(separator: "|"))>\n")
        hasBegun = true
    }

    func write(
        _ batch: RecordBatch,
        rows: Range<Int>,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        guard hasBegun else {
            throw ConnectorError(.init("rows.not_begun"), .failTask, "The stream has no start.")
        }
        let start = output.count
        for row in rows {
            for (column, name) in batch.schema.names.enumerated() {
                if column > 0 { output.append("|") }
                switch batch.value(row, name) {
                case .int(let number): output.append(String(number))
                case .string(let text): output.append(text)
                case .missing: break
                default:
                    output.count = start
                    throw ConnectorError(.init("rows.value"), .rejectRecord, "No such value.")
                }
            }
            output.append("\n")
        }
    }

    func end(into output: OutputBuffer) throws(ConnectorError) { output.append(ending) }
}
