import ConnectorSDK
import PostgresClient
import PostgresRecords
import Testing

@Suite("Cells for PostgreSQL columns")
struct CellEncoderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var value: Value
        var type: UInt32
        var modifier: Int32 = -1
        /// The text form, or why there is none.
        var expected: Result<String, EncodingProblem>
        /// Why the binary form needs the server's help, where it does.
        var needsServer = false
        var testDescription: String { "\(value) as \(type)(\(modifier))" }

        init(
            _ value: Value,
            _ type: UInt32,
            _ modifier: Int32,
            _ expected: Result<String, EncodingProblem>,
            needsServer: Bool = false
        ) {
            self.value = value
            self.type = type
            self.modifier = modifier
            self.expected = expected
            self.needsServer = needsServer
        }

        init(
            _ value: Value,
            _ type: UInt32,
            _ expected: Result<String, EncodingProblem>,
            needsServer: Bool = false
        ) {
            self.init(value, type, -1, expected, needsServer: needsServer)
        }
    }

    /// The modifier of `numeric(precision, scale)`.
    static func numeric(_ precision: Int32, _ scale: Int32) -> Int32 { precision << 16 | scale + 4 }

    static let cases: [Case] = [
        // D6: numbers go where nothing is lost.
        Case(.int(7), PostgresTypeID.int4, .success("7")),
        Case(.decimal("7.00"), PostgresTypeID.int4, .success("7")),
        Case(.decimal("7e2"), PostgresTypeID.int8, .success("700")),
        Case(.double(7), PostgresTypeID.int2, .success("7")),
        Case(.string("7"), PostgresTypeID.int8, .success("7")),
        Case(.string(" 7"), PostgresTypeID.int8, .success(" 7"), needsServer: true),
        Case(.decimal("7.5"), PostgresTypeID.int4, .failure(.inexact)),
        Case(.double(7.5), PostgresTypeID.int8, .failure(.inexact)),
        Case(.decimal("1e30"), PostgresTypeID.int8, .failure(.outOfRange)),
        Case(.bool(true), PostgresTypeID.int4, .failure(.mismatch)),
        Case(.decimal("12.50"), PostgresTypeID.numeric, .success("12.50")),
        Case(.decimal("12.50"), PostgresTypeID.numeric, numeric(5, 1), .success("12.50")),
        Case(.decimal("12.55"), PostgresTypeID.numeric, numeric(5, 1), .failure(.inexact)),
        Case(.string("12.55"), PostgresTypeID.numeric, numeric(5, 1), .failure(.inexact)),
        Case(.double(12.55), PostgresTypeID.numeric, numeric(5, 1), .failure(.inexact)),
        Case(.decimal("1e-30"), PostgresTypeID.numeric, numeric(30, 9), .failure(.inexact)),
        Case(.double(.nan), PostgresTypeID.numeric, .success("NaN")),
        Case(.decimal("0.1"), PostgresTypeID.float4, .success("0.1")),
        Case(.double(0.1), PostgresTypeID.float4, .success("0.1")),
        Case(.decimal("0.123456789"), PostgresTypeID.float4, .failure(.inexact)),
        Case(.decimal("0.123456789"), PostgresTypeID.float8, .success("0.123456789")),
        Case(.int(9_007_199_254_740_993), PostgresTypeID.float8, .failure(.inexact)),
        Case(.int(16_777_217), PostgresTypeID.float4, .failure(.inexact)),
        Case(.double(1e300), PostgresTypeID.float4, .failure(.outOfRange)),
        Case(.string("-Infinity"), PostgresTypeID.float8, .success("-Infinity")),
        // A string is what the server would read.
        Case(.string("true"), PostgresTypeID.bool, .success("true")),
        Case(.string("yes"), PostgresTypeID.bool, .success("yes"), needsServer: true),
        Case(.int(1), PostgresTypeID.bool, .failure(.mismatch)),
        Case(.string("2026-11-04"), PostgresTypeID.date, .success("2026-11-04")),
        Case(.string("4 Nov 2026"), PostgresTypeID.date, .success("4 Nov 2026"), needsServer: true),
        Case(.string("2026-11-04T00:00:00Z"), PostgresTypeID.date, .success("2026-11-04")),
        Case(.string("2026-11-04T10:00:00Z"), PostgresTypeID.date, .failure(.inexact)),
        Case(.date(-719_528), PostgresTypeID.date, .success("0001-01-01 BC")),
        Case(.date(.max), PostgresTypeID.date, .failure(.outOfRange)),
        Case(.int(20_000), PostgresTypeID.date, .failure(.mismatch)),
        Case(.time(86_400_000_000), PostgresTypeID.time, .success("24:00:00")),
        Case(.time(86_400_000_001), PostgresTypeID.time, .failure(.outOfRange)),
        Case(.time(1), PostgresTypeID.time, 3, .failure(.inexact)),
        Case(
            .string("2026-11-04T01:25:34.5+02:00"),
            PostgresTypeID.timestamptz,
            .success("2026-11-03 23:25:34.500000+00")
        ),
        Case(
            .string("2026-11-04T01:25:34+02:00"),
            PostgresTypeID.timestamp,
            .success("2026-11-03 23:25:34")
        ),
        Case(
            .string("2026-11-04T01:25:34.123456789Z"),
            PostgresTypeID.timestamptz,
            .failure(.inexact)
        ),
        Case(.timestamp(500), PostgresTypeID.timestamptz, 3, .failure(.inexact)),
        Case(.timestamp(.min), PostgresTypeID.timestamptz, .failure(.outOfRange)),
        Case(.date(0), PostgresTypeID.timestamp, .success("1970-01-01 00:00:00")),
        Case(.string("infinity"), PostgresTypeID.timestamp, .success("infinity")),
        Case(.int(5), PostgresTypeID.text, .success("5")),
        Case(.json("[1]"), PostgresTypeID.text, .success("[1]")),
        Case(.bytes([1]), PostgresTypeID.text, .failure(.mismatch)),
        Case(.timestamp(0), PostgresTypeID.text, .success("1970-01-01T00:00:00Z")),
        Case(.bytes([0, 255]), PostgresTypeID.bytea, .success(#"\\x00ff"#)),
        Case(.int(5), PostgresTypeID.jsonb, .success("5")),
        Case(.string("[1]"), PostgresTypeID.json, .success("[1]")),
        Case(.double(.infinity), PostgresTypeID.jsonb, .failure(.mismatch)),
        Case(
            .string("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"),
            PostgresTypeID.uuid,
            .success("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11")
        ),
        Case(.string("{a0eebc99}"), PostgresTypeID.uuid, .success("{a0eebc99}"), needsServer: true),
        Case(.null, PostgresTypeID.int4, .success("\\N")),
        Case(.string("a\tb\\"), PostgresTypeID.text, .success(#"a\tb\\"#)),
    ]

    @Test("a value is written as it is, or not at all", arguments: cases)
    func encodes(_ item: Case) throws {
        let type = try #require(ColumnType(builtIn: item.type, modifier: item.modifier))
        let encoder = CellEncoder(type, from: Field("f"))
        let batch = RecordBatch()
        let cell = batch.makeCell(item.value)
        let output = OutputBuffer()
        let problem = encoder.text(cell, scratch: OutputBuffer(), to: output)
        let binary = OutputBuffer()
        var cursor = CopyCursor(binary)
        let binaryProblem = encoder.binary(cell, &cursor)
        switch item.expected {
        case .success(let text):
            #expect(problem == nil)
            #expect(String(decoding: output.bytes, as: UTF8.self) == text)
            #expect(binaryProblem == (item.needsServer ? .needsServer : nil))
        case .failure(let expected):
            #expect(problem == expected && binaryProblem == expected)
            #expect(output.count == 0)
        }
        #expect((cursor.count == 0) == (binaryProblem != nil))
    }

    @Test(
        "numbers of any length have their binary form",
        arguments: [
            "0", "0.00", "-1", "10000", "0.00001", "123456789.000100", "1e5", "-2.5E-3", "99990000",
            "123456789012345678901234567890.123456789012345678901234567890", "1e-16383",
        ]
    )
    func numeric(_ text: String) throws {
        var written = text
        let bytes = try #require(written.withUTF8 { PostgresNumeric.encode(.init($0)) })
        let back = try #require(bytes.withUnsafeBytes { PostgresNumeric.text($0) })
        let plain = ["1e5": "100000", "-2.5E-3": "-0.0025"][text] ?? text
        if text != "1e-16383" { #expect(String(decoding: back, as: UTF8.self) == plain) }
        let decoded = bytes.withUnsafeBytes { PostgresNumeric.decode($0) }
        if case .decimal(let mantissa, let scale)? = decoded {
            let output = UnsafeMutableRawPointer.allocate(
                byteCount: PostgresNumeric.capacity,
                alignment: 8
            )
            defer { output.deallocate() }
            let count = PostgresNumeric.write(mantissa: mantissa, scale: Int(scale), to: output)
            #expect(Array(UnsafeRawBufferPointer(start: output, count: count)) == bytes)
        } else {
            #expect(decoded == .long)
        }
    }

    @Test(
        "bytes that are no number are refused",
        arguments: [[], [0, 1, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10]] as [[UInt8]]
    )
    func damagedNumeric(_ bytes: [UInt8]) {
        #expect(bytes.withUnsafeBytes { PostgresNumeric.decode($0) } == nil)
    }
}
