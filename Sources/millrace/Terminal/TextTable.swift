/// Columns of text for people: aligned, with two spaces between them.
struct TextTable {
    enum Alignment { case left, right }

    private var alignments: [Alignment]
    private var rows: [[String]]

    /// Makes a table with a header row.
    init(_ columns: [(title: String, alignment: Alignment)]) {
        alignments = columns.map(\.alignment)
        rows = [columns.map { $0.title.uppercased() }]
    }

    mutating func append(_ row: [String]) { rows.append(row) }

    /// The lines, without spaces at their ends.
    var lines: [String] {
        var widths = alignments.map { _ in 0 }
        for row in rows {
            for (index, cell) in row.enumerated() where index < widths.count {
                widths[index] = max(widths[index], cell.count)
            }
        }
        return rows.map { row in
            let cells = row.enumerated().map { index, cell in
                Self.pad(cell, to: widths[index], alignments[index])
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    static func pad(_ text: String, to width: Int, _ alignment: Alignment) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return alignment == .left ? text + space : space + text
    }
}
