import CSVFormat
import ConnectorSDK
import ConnectorTesting
import Foundation
import TestServices
import Testing

@Suite("CSV against Python's reader")
struct CSVReferenceTests {
    /// Reads files of the directory with Python, strictly, and prints their rows as JSON.
    private static let script = """
        import csv, json, sys
        csv.field_size_limit(1 << 30)
        for path in sys.argv[1:]:
            with open(path, newline="", encoding="utf-8") as file:
                print(json.dumps([row for row in csv.reader(file, strict=True) if row]))
        """

    @Test("random tables are what Python's reader makes of them")
    func agrees() throws {
        let directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("millrace-csvxml-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let texts = (0..<200).map { _ in randomTable() }
        var paths: [String] = []
        for (index, text) in texts.enumerated() {
            let file = directory.appendingPathComponent("\(index).csv")
            try Data(text.utf8).write(to: file)
            paths.append(file.path)
        }
        let format = try CSVFormat(
            configuration: Configuration(["types": "string", "header": "false", "columns": "a,b,c"])
        )
        for (text, line) in zip(texts, try python(paths)) {
            let expected = try JSONDecoder().decode([[String]].self, from: Data(line.utf8))
            let reading = try FormatReading(format, Array(text.utf8), pieces: 7)
            #expect(reading.rejections.isEmpty)
            // An empty cell is null here, and empty text there.
            let rows = reading.records.map { record in
                record.fields.map { if case .string(let text) = $0.value { text } else { "" } }
            }
            #expect(rows == expected, "\(text.debugDescription)")
        }
    }

    private func randomTable() -> String {
        let pieces = [
            "x", "yz", " ", ",", "\"", "\n", "\r\n", "\r", "é", "0", "\t", "longer words",
        ]
        let ending = ["\n", "\r\n", "\r"].randomElement() ?? "\n"
        let rows = (0..<Int.random(in: 1...6)).map { _ in
            (0..<3).map { _ in
                let cell = (0..<Int.random(in: 0...4)).map { _ in pieces.randomElement() ?? "" }
                    .joined()
                let mustQuote = cell.unicodeScalars.contains {
                    ",\"\r\n".unicodeScalars.contains($0)
                }
                guard mustQuote || Int.random(in: 0..<4) == 0 else { return cell }
                return "\"" + cell.replacingOccurrences(of: "\"", with: "\"\"") + "\""
            }.joined(separator: ",")
        }
        return rows.joined(separator: ending) + (Bool.random() ? ending : "")
    }

    private func python(_ paths: [String]) throws -> [Substring] {
        try Program.run(["python3", "-c", Self.script] + paths).split(separator: "\n")
    }
}
