import CSVFormat
import ConnectorSDK
import ConnectorTesting
import Testing

@Suite("CSV format")
struct CSVConformanceTests {
    static let dialects: [[String: String]] = [
        [:],
        ["delimiter": "tab", "types": "string"],
        ["header": "false", "columns": "id,name,amount,note"],
        ["escape": "\\", "quote": "'"],
    ]

    @Test("meets the contract of formats", arguments: FormatRequirement.allCases, dialects)
    func conforms(_ requirement: FormatRequirement, _ keys: [String: String]) throws {
        let delimiter = keys["delimiter"] == "tab" ? "\t" : ","
        let quote = keys["quote"] ?? "\""
        try FormatScenario(format: { try CSVFormat(configuration: Configuration(keys)) }) { count in
            var text =
                keys["header"] == "false"
                ? "" : ["id", "name", "amount", "note"].joined(separator: delimiter) + "\n"
            for index in 0..<count {
                let note =
                    index % 3 == 0 ? "\(quote)two\nlines \(quote)\(quote)q\(quote)" : "é\(index)"
                text += ["\(index)", "n\(index)", "\(index).50", note].joined(separator: delimiter)
                text += index % 2 == 0 ? "\r\n" : "\n"
            }
            return count == 0 ? [] : Array(text.utf8)
        }.verify(requirement)
    }
}
