import HTTPRequests
import Testing

@Suite("What bodies are")
struct BodyFormatTests {
    @Test(
        "a content type says what a body is",
        arguments: [
            (nil, .json), ("application/json; charset=utf-8", .json),
            ("application/cloudevents+json", .json), ("APPLICATION/X-NDJSON", .ndjson),
            ("application/x-www-form-urlencoded", .form), ("text/plain;charset=utf-8", .lines),
            ("application/xml", nil), ("", nil),
        ] as [(String?, BodyFormat?)]
    )
    func format(type: String?, format: BodyFormat?) {
        #expect(BodyFormat(contentType: type) == format)
    }

    @Test(
        "a content encoding says how it is compressed",
        arguments: [
            (nil, .identity), ("gzip", .gzip), ("x-gzip", .gzip), ("ZSTD", .zstd),
            ("deflate", .deflate), ("br", nil),
        ] as [(String?, BodyEncoding?)]
    )
    func encoding(name: String?, encoding: BodyEncoding?) {
        #expect(BodyEncoding(contentEncoding: name) == encoding)
    }
}
