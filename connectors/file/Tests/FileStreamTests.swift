import Compression
import ConnectorSDK
import ConnectorTesting
import Testing

@testable import FileConnector

/// Files in other encodings, and compressed.
@Suite("File source streams")
struct FileStreamTests {
    let fixture: FileSourceFixture

    init() throws { fixture = try FileSourceFixture() }

    static func encode(_ text: String, _ charset: String, mark: Bool = true) -> [UInt8] {
        switch charset {
        case "utf-16le":
            (mark ? [0xff, 0xfe] : []) + text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        case "utf-16be":
            (mark ? [0xfe, 0xff] : []) + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        case "iso-8859-1": text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        default: (mark ? [0xef, 0xbb, 0xbf] : []) + Array(text.utf8)
        }
    }

    static func compress(_ bytes: [UInt8], _ kind: CompressionKind) throws -> [UInt8] {
        let output = OutputBuffer()
        let compressor = try #require(try kind.makeCompressor())
        // Two members, as appending makes them.
        for half in [bytes.prefix(bytes.count / 2), bytes.suffix(bytes.count - bytes.count / 2)] {
            try Array(half).withUnsafeBytes { try compressor.write($0, into: output) }
            try compressor.endFrame(into: output)
        }
        return Array(output.bytes)
    }

    @Test(
        "text in every encoding becomes UTF-8, its mark left out",
        arguments: [
            ("auto", "utf-8", true), ("auto", "utf-8", false), ("auto", "utf-16le", true),
            ("auto", "utf-16be", true), ("utf-16", "utf-16le", true), ("utf-16", "utf-16be", true),
            ("utf-16", "utf-16be", false), ("utf-16le", "utf-16le", true),
            ("utf-16le", "utf-16le", false), ("utf-16be", "utf-16be", false),
            ("utf-8", "utf-8", true), ("iso-8859-1", "iso-8859-1", false),
        ]
    )
    func charsets(_ setting: String, _ encoding: String, _ mark: Bool) async throws {
        let isLatin = encoding == "iso-8859-1"
        let lines = isLatin ? ["plain", "größe", ""] : ["plain", "größe €", "😀 𝄞", ""]
        let text = lines.map { $0 + "\r\n" }.joined()
        try fixture.write(Self.encode(text, encoding, mark: mark), to: "a.txt")
        #expect(try await fixture.run(["charset": setting]).texts == lines)
    }

    @Test("a byte order mark alone is an empty file", arguments: ["utf-8", "utf-16le", "utf-16be"])
    func markOnly(_ encoding: String) async throws {
        try fixture.write(Self.encode("", encoding), to: "a.txt")
        #expect(try await fixture.run().texts == [])
    }

    @Test(
        "UTF-16 that is none ends the file with the byte, behind the records before it",
        arguments: [[0xd8, 0x00, 0x00, 0x41], [0xdc, 0x00], [0xd8, 0x00], [0x00]] as [[UInt8]]
    )
    func invalidUTF16(_ bad: [UInt8]) async throws {
        let bytes = Self.encode("good\n", "utf-16be") + bad
        try fixture.write(bytes, to: "a.txt")
        let outlet = try await fixture.run()
        #expect(outlet.texts == ["good"])
        let error = try #require(outlet.rejections.first).error
        #expect(error.code.rawValue == "charset.invalid")
        #expect(error.message.contains("byte 12 of the input"))
    }

    @Test(
        "compressed files are told by their first bytes, and resumed in the middle",
        arguments: [CompressionKind.gzip, .zstd],
        ["utf-8", "utf-16le"]
    )
    func compressed(_ kind: CompressionKind, _ encoding: String) async throws {
        let count = RecordBatch.rowLimit * 2 + 100
        let lines = (0..<count).map { "line \($0) ü" }
        let text = lines.map { $0 + "\n" }.joined()
        try fixture.write(Self.compress(Self.encode(text, encoding), kind), to: "a.txt")
        let whole = try await fixture.run()
        #expect(whole.texts == lines)
        #expect(whole.sent.count >= 3)
        for done in 1..<whole.sent.count {
            let positions = RecordingOutlet.positions(after: whole.sent.prefix(done))
            let rest = try await fixture.run(from: positions)
            #expect(rest.records == whole.sent.dropFirst(done).flatMap(\.records))
        }
        // Told to take it as it is, it does.
        #expect(try await fixture.run(["compression": "none"]).texts != lines)
    }

    @Test("a compressed file that is cut off gives what there is, and then an error")
    func cutOff() async throws {
        let lines = (0..<10_000).map { "line \($0)" }
        let bytes = try Self.compress(Array(lines.joined(separator: "\n").utf8), .gzip)
        try fixture.write(Array(bytes.dropLast(20)), to: "a.txt")
        let outlet = try await fixture.run()
        #expect(outlet.texts.count > 1_000)
        #expect(outlet.texts == Array(lines.prefix(outlet.texts.count)))
        #expect(outlet.rejections.map(\.error.code.rawValue) == ["compression.truncated"])
        #expect(try await fixture.run(from: outlet.positions).sent.isEmpty)
    }

    @Test("an archive that expands without end is read in bounded memory")
    func bomb() async throws {
        // D7: 256 MiB of zeros in a quarter of a megabyte, as one line that is too long.
        let output = OutputBuffer()
        let compressor = try GzipCompressor()
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<256 {
            try zeros.withUnsafeBytes { try compressor.write($0, into: output) }
        }
        try compressor.endFrame(into: output)
        try fixture.write(Array(output.bytes), to: "a.txt")
        let outlet = try await fixture.run(["max.record.bytes": "1MiB"])
        #expect(outlet.records.isEmpty)
        #expect(outlet.rejections.map(\.error.code.rawValue) == ["lines.too_long"])
    }
}
