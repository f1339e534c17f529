import ConnectorSDK
import JSONDocuments
import Logging
import Testing

@testable import SingerConnector

@Suite("Singer schemas and catalogs")
struct FieldTypesTests {
    @Test(
        "a property's schema says its type",
        arguments: [
            ("{\"type\":[\"null\",\"integer\"]}", FieldType.int64),
            ("{\"type\":\"boolean\"}", .bool),
            ("{\"type\":\"number\",\"multipleOf\":1e-04}", .decimal(precision: nil, scale: 4)),
            ("{\"type\":\"number\",\"multipleOf\":0.01}", .decimal(precision: nil, scale: 2)),
            ("{\"type\":\"number\",\"multipleOf\":0.25}", .decimal(precision: nil, scale: nil)),
            ("{\"type\":\"number\"}", .decimal(precision: nil, scale: nil)),
            (
                "{\"type\":\"string\",\"format\":\"singer.decimal\"}",
                .decimal(precision: nil, scale: nil)
            ),
            ("{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}", .timestamp),
            ("{\"type\":\"string\",\"format\":\"time\"}", .time), ("{\"type\":\"array\"}", .json),
            ("{\"type\":\"string\",\"format\":\"uuid\"}", .uuid), ("{}", .any),
            ("{\"type\":[\"string\",\"integer\"]}", .any), ("{\"type\":\"null\"}", .any),
            (
                "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\",\"format\":\"date-time\"}]}",
                .timestamp
            ),
            (
                "{\"anyOf\":[{\"type\":\"string\",\"format\":\"date-time\"},{\"type\":\"string\"}]}",
                .string
            ),
        ]
    )
    func types(_ text: String, _ type: FieldType) throws {
        let property = try #require(JSONDocument(parsingAny: text))
        #expect(FieldTypes.type(of: property) == type)
    }

    @Test("streams are selected where old and new taps look for it")
    func selection() throws {
        var catalog = try #require(
            Catalog(
                """
                {"streams":[{"stream":"a","tap_stream_id":"x-a","schema":{"maximum":1.5e3},
                "metadata":[{"breadcrumb":[],"metadata":{"inclusion":"available"}},
                {"breadcrumb":["properties","id"],"metadata":{"inclusion":"automatic"}}]},
                {"stream":"b","schema":{}}]}
                """
            )
        )
        try catalog.select(["x-a"])
        let document = try #require(JSONDocument(parsingAny: catalog.text))
        let streams = try #require(document["streams"]?.array)
        #expect(streams.map { $0["selected"]?.bool } == [true, false])
        #expect(streams.map { $0["schema"]?["selected"]?.bool } == [true, false])
        let metadata = streams.map { $0["metadata"]?.array?.first?["metadata"]?["selected"]?.bool }
        #expect(metadata == [true, false])
        #expect(catalog.text.contains("1.5e3"))
        #expect(streams[0]["metadata"]?.array?.count == 2)
        let error = #expect(throws: ConnectorError.self) { try catalog.select(["c"]) }
        #expect(error?.configurationKey == "streams")
    }

    @Test(
        "levels of a program's log are ours",
        arguments: [
            ("2026 | WARNING  | singer_sdk | x", Logger.Level.warning), ("INFO x", .info),
            ("CRITICAL ['x']", .error), ("Traceback (most recent call last):", .info),
            ("DEBUG: x", .debug),
        ]
    )
    func levels(_ line: String, _ level: Logger.Level) {
        #expect(ProgramLog.level(of: line) == level)
    }
}
