import ConnectorSDK
import ConnectorTesting
import Foundation
import LinesFormat
import Logging
import TestServices
import Testing

@testable import FileConnector

/// A directory with input, and sources over it.
final class FileSourceFixture {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Writes a file whose last change is `age` seconds ago.
    @discardableResult
    func write(_ text: String, to name: String, age: Double = 100) throws -> String {
        try write(Array(text.utf8), to: name, age: age)
    }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String, age: Double = 100) throws -> String {
        let path = try directory.write("", to: name)
        try Data(bytes).write(to: URL(filePath: path))
        try setAge(age, of: name)
        return path
    }

    func append(_ text: String, to name: String) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: directory.file(name)))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    /// Replaces the content and keeps the inode.
    func overwrite(_ text: String, in name: String) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: directory.file(name)))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }

    func setAge(_ age: Double, of name: String) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -age)],
            ofItemAtPath: directory.file(name)
        )
    }

    func rename(_ from: String, to: String) throws {
        try FileManager.default.moveItem(atPath: directory.file(from), toPath: directory.file(to))
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: directory.file(name))
    }

    func names(_ name: String = "") -> [String] {
        let path = name.isEmpty ? directory.path : directory.file(name)
        return ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }

    func source(
        _ values: [String: String] = [:],
        task: Int = 0,
        of tasks: Int = 1,
        untilEnd: Bool = false
    ) throws(ConnectorError) -> FileSource {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let given = ["include": "*.txt", "topic": "t"].merging(values) { $1 }
        return try FileSource(
            configuration: Configuration(given, baseDirectory: directory.path),
            context: ConnectorContext(
                name: "files",
                taskID: task,
                taskCount: tasks,
                untilEnd: untilEnd,
                stateDirectory: directory.file("state"),
                formats: FormatCatalog([LinesFormat.self, BrittleFormat.self]),
                logger: logger
            )
        )
    }

    /// Runs a source to its end.
    func run(
        _ values: [String: String] = [:],
        from positions: [String: String] = [:],
        durability: RecordingOutlet.Durability = .atOnce,
        _ script: (RecordingOutlet) -> Void = { _ in }
    ) async throws -> RecordingOutlet {
        let source = try source(values)
        let outlet = RecordingOutlet(for: source, durability: durability)
        script(outlet)
        do throws(ConnectorError) {
            try await source.run(from: positions, into: outlet)
        } catch {
            guard error.code == .cancelled else { throw error }
        }
        return outlet
    }
}

/// Lines, of which none may say `FATAL`: behind such a line nothing can be read.
final class BrittleFormat: RecordFormat {
    static let name = "brittle"
    static let summary = "For tests."
    static let configuration = ConfigSpec()
    private let lines: LinesFormat

    init(configuration: Configuration) throws(ConnectorError) {
        lines = try LinesFormat(configuration: Configuration([:]))
    }

    var isOpaque: Bool { true }

    func makeReader(at position: ReaderPosition?) throws(ConnectorError) -> any RecordReader {
        BrittleReader(position ?? ReaderPosition())
    }

    func makeWriter() throws(ConnectorError) -> any RecordWriter { try lines.makeWriter() }
}

/// Starts over and skips, and keeps what it read so far as its state.
final class BrittleReader: RecordReader {
    private(set) var position: ReaderPosition
    private var skip: Int64

    init(_ position: ReaderPosition) {
        skip = position.record
        self.position = ReaderPosition(state: position.state)
    }

    var startsAtByte: Bool { false }

    func read(_ input: ByteInput, into batch: RecordBatch) throws(ConnectorError) -> Bool {
        while try input.fill() {}
        for line in input.window.split(separator: 0x0a) {
            if line.elementsEqual("FATAL".utf8) {
                throw ConnectorError(.init("brittle.fatal"), .failTask, "It is over.")
            }
            if position.record >= skip {
                let copy = batch.arena.copy(UnsafeRawBufferPointer(rebasing: line))
                batch.appendOpaque(copy)
            }
            position.byte += Int64(line.count) + 1
            position.line += 1
            position.record += 1
            position.state = "at \"\(position.record)\" \\ \u{1}"
            input.consume(min(line.count + 1, input.window.count))
            if batch.count == 2 { return true }
        }
        return false
    }
}
