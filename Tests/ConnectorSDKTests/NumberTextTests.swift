import ConnectorSDK
import Testing

@Suite("Numbers as text")
struct NumberTextTests {
    private static func describe(_ cell: Cell?) -> String {
        guard let cell else { return "none" }
        return switch cell.tag {
        case .int: "int \(cell.int64)"
        case .decimal: "decimal \(cell.int64) / 10^\(cell.scale)"
        case .number: "number \(String(decoding: cell.slice, as: UTF8.self))"
        default: "other"
        }
    }

    @Test(
        "a number keeps every digit",
        arguments: [
            ("0", "int 0"), ("7", "int 7"), ("-7", "int -7"), ("-0", "number -0"),
            ("9223372036854775807", "int 9223372036854775807"),
            ("-9223372036854775808", "int -9223372036854775808"),
            ("9223372036854775808", "number 9223372036854775808"),
            ("-9223372036854775809", "number -9223372036854775809"),
            ("18446744073709551616", "number 18446744073709551616"),
            ("12.50", "decimal 1250 / 10^2"), ("-0.5", "decimal -5 / 10^1"),
            ("-0.00", "number -0.00"), ("0.0", "decimal 0 / 10^1"),
            ("123456789012345678.9", "number 123456789012345678.9"),
            ("12345678901234567.8", "decimal 123456789012345678 / 10^1"),
            ("0.123456789012345678", "decimal 123456789012345678 / 10^18"),
            ("0.1234567890123456789", "number 0.1234567890123456789"),
            ("1e5", "number 1e5"), ("-1.5E+3", "number -1.5E+3"), ("+5", "int 5"),
            ("007", "int 7"), ("-007.5", "decimal -75 / 10^1"), (" 7\t", "int 7"),
            ("00012345678901234567890", "number 12345678901234567890"),
            ("-00012345678901234567890", "none"), ("", "none"), ("-", "none"), ("+", "none"),
            (".5", "none"), ("5.", "none"), ("5.e3", "none"), ("1.5.2", "none"), ("1e", "none"),
            ("1e+", "none"), ("0x10", "none"), ("1 2", "none"), ("--1", "none"), ("NaN", "none"),
            ("१", "none"), ("2026-11-04", "none"),
        ]
    )
    func parses(text: String, expected: String) {
        let bytes = Array(text.utf8)
        #expect(bytes.withUnsafeBytes { Self.describe(NumberText.parse($0)) } == expected)
    }

    @Test(
        "an integer fits 64 bits or is none",
        arguments: [
            ("0", 0), ("+5", 5), ("-007", -7), ("9223372036854775807", .max),
            ("-9223372036854775808", .min), ("9223372036854775808", nil),
            ("-9223372036854775809", nil), ("", nil), ("-", nil), ("1.0", nil), (" 1", nil),
        ] as [(String, Int64?)]
    )
    func integers(text: String, expected: Int64?) {
        #expect(Array(text.utf8).withUnsafeBytes { NumberText.integer($0) } == expected)
    }

    @Test(
        "a binary number is the nearest one, and finite",
        arguments: [
            ("1.5e3", 1_500), (".5", 0.5), ("5.", 5), ("+0.1", 0.1), ("-0", -0.0),
            ("1E-400", 0), ("1e400", nil), ("inf", nil), ("nan", nil), ("0x1p3", nil),
            ("e5", nil), ("1e", nil), (".", nil), ("", nil), ("1,5", nil), ("1 ", nil),
        ] as [(String, Double?)]
    )
    func doubles(text: String, expected: Double?) {
        #expect(Array(text.utf8).withUnsafeBytes { NumberText.double($0) } == expected)
    }
}
