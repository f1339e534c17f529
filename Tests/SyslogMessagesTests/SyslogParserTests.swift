import ConnectorSDK
import SyslogMessages
import Testing

/// A message's fields as a record has them.
private func fields(
    _ text: String,
    zone: SyslogZone = .utc,
    received: Int64 = 1_795_300_000
) -> [String: Value] {
    fields(Array(text.utf8), zone: zone, received: received)
}

private func fields(
    _ bytes: [UInt8],
    zone: SyslogZone = .utc,
    received: Int64 = 1_795_300_000
) -> [String: Value] {
    let chunk = Chunk(copying: bytes)
    let batch = RecordBatch()
    batch.reset(topic: "t", schema: Schema(SyslogFields.fields))
    batch.retain(chunk)
    let filler = SyslogFields()
    filler.begin(batch)
    var parser = SyslogParser(zone: zone)
    let message = parser.parse(UnsafeRawBufferPointer(chunk.bytes), received: received)
    let row = batch.appendRow()
    filler.write(message, to: batch.row(row), in: batch)
    var found: [String: Value] = ["format": .string("\(message.format)")]
    for (column, field) in SyslogFields.fields.enumerated() {
        let value = Value(batch[row, column])
        if value != .missing { found[field.name] = value }
    }
    return found
}

/// Microseconds of a time, by way of the text that a person would compare.
private func time(_ text: String) -> Value {
    var text = text
    return text.withUTF8 { Value(TimeText.instant(UnsafeRawBufferPointer($0)) ?? .missing) }
}

@Suite("Syslog messages, RFC 5424")
struct VersionedMessageTests {
    @Test("the RFC's own example has its parts")
    func example() {
        let found = fields(
            "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - "
                + "%% It's time to make the do-nuts."
        )
        #expect(
            found == [
                "format": .string("rfc5424"), "timestamp": time("2003-08-24T12:14:15.000003Z"),
                "facility": .string("local4"), "severity": .string("notice"),
                "hostname": .string("192.0.2.1"), "appname": .string("myproc"),
                "procid": .string("8710"), "message": .string("%% It's time to make the do-nuts."),
            ]
        )
    }

    @Test("the byte order mark is no part of the text")
    func byteOrderMark() {
        let found = fields(
            "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - "
                + "\u{FEFF}'su root' failed for lonvick on /dev/pts/8"
        )
        #expect(found["message"] == .string("'su root' failed for lonvick on /dev/pts/8"))
        #expect(found["msgid"] == .string("ID47"))
        #expect(found["severity"] == .string("crit"))
        #expect(found["procid"] == nil)
    }

    @Test(
        "structured data becomes an object of objects",
        arguments: [
            (
                #"[exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"]"#,
                #"{"exampleSDID@32473":{"iut":"3","eventSource":"Application","eventID":"1011"}}"#
            ),
            (#"[a x="1"][b y="2"]"#, #"{"a":{"x":"1"},"b":{"y":"2"}}"#),
            ("[sigSig]", #"{"sigSig":{}}"#),
            (#"[a x="1" y="2" x="3"]"#, #"{"a":{"x":["1","3"],"y":"2"}}"#),
            (#"[a x="\"\\\]\n"]"#, #"{"a":{"x":"\"\\]\\n"}}"#),
            ("[a x=\"\u{1}\t\"]", #"{"a":{"x":"\u0001\u0009"}}"#),
            (#"[a x="naïve"]"#, #"{"a":{"x":"naïve"}}"#),
        ]
    )
    func structuredData(_ written: String, _ json: String) {
        let found = fields("<165>1 2003-10-11T22:14:15.003Z host app - - \(written) text")
        #expect(found["structured_data"] == .json(json))
        #expect(found["message"] == .string("text"))
        let alone = fields("<165>1 2003-10-11T22:14:15.003Z host app - - \(written)")
        #expect(alone["structured_data"] == .json(json))
        #expect(alone["message"] == nil)
    }

    // D6: what cannot be taken apart is still all there.
    @Test(
        "what breaks the grammar is kept as text",
        arguments: [
            "1 2003-10-11T22:14:15.003Z host app - - [a x=1] text",
            "1 2003-10-11T22:14:15.003Z host app - - [a x=\"1\" text",
            "1 2003-10-11T22:14:15.003Z host app - - [a x=\"1\"]text",
            "1 2003-10-11T22:14:15.003Z host app - - [a][a] twice",
            "1 2003-10-11T22:14:15.003Z host app - - text",
            "1 2003-10-11 22:14:15 host app - - - text", "1 yesterday host app - - - text",
            "1 2003-10-11T22:14:60Z host app - - - text", "1 - host app", "2 - host app - - - text",
            "1 - - - - - [a " + String(repeating: "x=\"\" ", count: 300) + "y=\"\"] text",
            "1 - - - - - " + (0..<80).map { "[a\($0)]" }.joined() + " text",
        ]
    )
    func broken(_ text: String) {
        let found = fields("<13>" + text)
        #expect(
            found == [
                "format": .string("unrecognised"), "facility": .string("user"),
                "severity": .string("notice"), "message": .string(text),
            ]
        )
    }

    @Test("nanoseconds are cut to microseconds")
    func nanoseconds() {
        let found = fields("<13>1 2026-11-02T08:05:09.123456789+02:00 h a - - - x")
        #expect(found["timestamp"] == time("2026-11-02T08:05:09.123456+02:00"))
    }

    @Test("everything may be left out, and ends do not count")
    func nothing() {
        #expect(
            fields("<0>1 - - - - - - \r\n\0") == [
                "format": .string("rfc5424"), "facility": .string("kern"),
                "severity": .string("emerg"), "message": .string(""),
            ]
        )
        #expect(fields("")["message"] == .string(""))
    }
}

@Suite("Syslog messages, RFC 3164 and what calls itself so")
struct BSDMessageTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var text: String
        var host: String?
        var app: String?
        var process: String?
        var message: String
        var testDescription: String { text }
    }

    static let samples = [
        Sample(
            text: "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
            host: "mymachine",
            app: "su",
            message: "'su root' failed"
        ),
        Sample(
            text: "<13>Oct 11 22:14:15 web-1 nginx[812]: GET /",
            host: "web-1",
            app: "nginx",
            process: "812",
            message: "GET /"
        ),
        // What a program writes to /dev/log has no machine.
        Sample(
            text: "<13>Oct 11 22:14:15 root: hello",
            app: "root",
            message: "hello"
        ),
        Sample(
            text: "<13>Oct 11 22:14:15 cron[7]: (root) CMD",
            app: "cron",
            process: "7",
            message: "(root) CMD"
        ),
        Sample(
            text: "<13>Oct 11 22:14:15 fe80::1 app: x",
            host: "fe80::1",
            app: "app",
            message: "x"
        ),
        Sample(
            text: "<13>Oct 11 22:14:15 h just words: here",
            host: "h",
            message: "just words: here"
        ),
        Sample(text: "<13>Oct 11 22:14:15 alone", message: "alone"),
        Sample(
            text: "<13>Oct 11 22:14:15 h std::vector failed",
            host: "h",
            message: "std::vector failed"
        ),
        Sample(
            text: "<13>Oct 11 22:14:15 h postfix/smtpd[99]: connect",
            host: "h",
            app: "postfix/smtpd",
            process: "99",
            message: "connect"
        ),
        Sample(
            text: "<13>Oct 11 22:14:15.000 h app: x",
            host: "h",
            app: "app",
            message: "x"
        ),
        Sample(
            text: "<13>Oct 11 2026 22:14:15: h app: x",
            host: "h",
            app: "app",
            message: "x"
        ),
        Sample(
            text: "<13>2026-10-11T22:14:15+00:00 h app[1]: x",
            host: "h",
            app: "app",
            process: "1",
            message: "x"
        ),
        Sample(
            text: "<13>2026-10-11T22:14:15 h app[1]: x",
            host: "h",
            app: "app",
            process: "1",
            message: "x"
        ),
    ]

    @Test("times, machines, programs and processes are told apart", arguments: samples)
    func parts(_ sample: Sample) {
        var wanted: [String: Value] = [
            "format": .string("bsd"), "timestamp": time("2026-10-11T22:14:15Z"),
            "message": .string(sample.message),
        ]
        wanted["hostname"] = sample.host.map(Value.string)
        wanted["appname"] = sample.app.map(Value.string)
        wanted["procid"] = sample.process.map(Value.string)
        var found = fields(sample.text)
        #expect(found.removeValue(forKey: "facility") != nil)
        #expect(found.removeValue(forKey: "severity") != nil)
        #expect(found == wanted)
    }

    @Test("a line of a file has no priority")
    func withoutPriority() {
        let found = fields("Oct 11 22:14:15 host app[1]: text")
        #expect(found["facility"] == nil && found["severity"] == nil)
        #expect(found["format"] == .string("bsd"))
        #expect(found["hostname"] == .string("host") && found["message"] == .string("text"))
        #expect(fields("no syslog at all")["format"] == .string("unrecognised"))
    }

    @Test("Python's handler sends a text, perhaps with a name, and a NUL")
    func python() {
        #expect(fields("<14>some text\0")["message"] == .string("some text"))
        let named = fields("<14>app: some text\0")
        #expect(named["appname"] == .string("app") && named["message"] == .string("some text"))
    }

    @Test(
        "the year is the one that brings the time nearest",
        arguments: [
            ("2026-11-21T12:00:00Z", "Nov 21 11:00:00", "2026-11-21T11:00:00Z"),
            ("2027-01-01T00:10:00Z", "Dec 31 23:59:59", "2026-12-31T23:59:59Z"),
            ("2026-12-31T23:59:59Z", "Jan  1 00:00:01", "2027-01-01T00:00:01Z"),
            ("2028-03-01T00:00:00Z", "Feb 29 00:00:00", "2028-02-29T00:00:00Z"),
        ]
    )
    func year(_ received: String, _ written: String, _ wanted: String) throws {
        guard case .timestamp(let micros) = time(received) else {
            Issue.record("no time")
            return
        }
        let found = fields("<13>\(written) h a: x", received: micros / 1_000_000)
        #expect(found["timestamp"] == time(wanted))
    }

    @Test("times without a zone are of the zone that is configured")
    func zones() throws {
        let east = try #require(SyslogZone("+02:00"))
        let found = fields("<13>Oct 11 22:14:15 h a: x", zone: east)
        #expect(found["timestamp"] == time("2026-10-11T22:14:15+02:00"))
        let said = fields("<13>2026-10-11T22:14:15-05:00 h a: x", zone: east)
        #expect(said["timestamp"] == time("2026-10-11T22:14:15-05:00"))
        #expect(SyslogZone("UTC") == .utc && SyslogZone("local") == .local)
        #expect(SyslogZone("Mars") == nil && SyslogZone("+2") == nil)
    }

    @Test(
        "what is no priority is text",
        arguments: ["<192>x", "<>x", "<1", "<-1>x", "<0001>x", "< 1>x"]
    )
    func noPriority(_ text: String) {
        #expect(
            fields(text) == ["format": .string("unrecognised"), "message": .string(text)]
        )
    }

    @Test("bytes that are not UTF-8 are characters of ISO 8859-1")
    func latin1() {
        let bytes = Array("<13>Oct 11 22:14:15 h app: na".utf8) + [0xEF] + Array("ve".utf8)
        #expect(fields(bytes)["message"] == .string("naïve"))
        let data =
            Array("<13>1 - - - - - [a x=\"na".utf8) + [0xEF] + Array("ve\" y=\"1\"]".utf8)
        #expect(fields(data)["structured_data"] == .json(#"{"a":{"x":"naïve","y":"1"}}"#))
    }
}
