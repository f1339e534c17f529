import SyslogMessages
import Testing

@Suite("Syslog framing")
struct MessageFramerTests {
    /// What a framer finds when bytes come in pieces, and what is left.
    private func cut(
        _ text: String,
        pieces: Int,
        style: FramingStyle = .auto,
        longest: Int = 64
    ) throws -> (messages: [String], rest: String) {
        var framer = MessageFramer(style, longest: longest)
        var messages: [String] = []
        var held: [UInt8] = []
        var input = Array(text.utf8)[...]
        while !input.isEmpty {
            held += input.prefix(pieces)
            input = input.dropFirst(pieces)
            var found: [Range<Int>] = []
            let consumed = try held.withUnsafeBytes { bytes in
                try framer.scan(bytes, &found)
            }
            messages += found.map { String(decoding: held[$0], as: UTF8.self) }
            held.removeFirst(consumed)
        }
        return (messages, String(decoding: held, as: UTF8.self))
    }

    struct Sample: Sendable {
        var text: String
        var messages: [String]
        var rest = ""
    }

    static let samples = [
        Sample(text: "<1>a\n<2>b\n", messages: ["<1>a", "<2>b"]),
        Sample(text: "<1>a\r\n<2>b", messages: ["<1>a\r"], rest: "<2>b"),
        Sample(text: "4 <1>a6 <2>b\nc3 <3>", messages: ["<1>a", "<2>b\nc", "<3>"]),
        Sample(text: "4 <1>a\n4 <2>b", messages: ["<1>a", "<2>b"]),
        Sample(text: "5 <1>a", messages: [], rest: "5 <1>a"),
        Sample(text: "\n\n4 <1>a", messages: ["<1>a"]),
        Sample(text: "<1>a\n2026 is no length\n", messages: ["<1>a", "2026 is no length"]),
        Sample(text: "\n<1>a\n\n\n<2>b\n", messages: ["<1>a", "<2>b"]),
        Sample(text: "12", messages: [], rest: "12"),
    ]

    @Test("finds the same messages however they arrive", arguments: samples, [1, 2, 3, 1_000])
    func pieces(_ sample: Sample, _ pieces: Int) throws {
        let (messages, rest) = try cut(sample.text, pieces: pieces)
        #expect(messages == sample.messages)
        #expect(rest == sample.rest)
    }

    // D9
    @Test(
        "ends what breaks the protocol",
        arguments: ["4x<1>a", "1234567890 x", "4 <1>ax", "99999999999999999999999"]
    )
    func malformed(_ text: String) {
        #expect(throws: FramingProblem.malformed) { try cut(text, pieces: 1) }
    }

    // D7
    @Test(
        "ends what is too long",
        arguments: ["65 x", "<" + String(repeating: "x", count: 64)],
        [1, 1_000]
    )
    func tooLong(_ text: String, _ pieces: Int) {
        #expect(throws: FramingProblem.tooLong) { try cut(text, pieces: pieces) }
        #expect(throws: FramingProblem.tooLong) { try cut(text + "\n", pieces: pieces) }
    }

    @Test("the longest message is not too long")
    func longest() throws {
        let text = "<" + String(repeating: "x", count: 63)
        #expect(try cut(text + "\n", pieces: 7).messages == [text])
        #expect(try cut("64 " + text, pieces: 7).messages == [text])
    }

    @Test("lines may begin with digits when they are said to be lines")
    func forced() throws {
        let (messages, _) = try cut("2026 a\n3 b\n", pieces: 2, style: .newline)
        #expect(messages == ["2026 a", "3 b"])
    }
}
