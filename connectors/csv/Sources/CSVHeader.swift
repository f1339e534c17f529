import ConnectorSDK

/// The names of the columns: checked, and kept in positions.
enum CSVHeader {
    /// Checks that every column has a name of its own.
    static func check(_ names: [String], key: String) throws(ConnectorError) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw .invalid(key, "The column `\(name)` is named twice.")
        }
    }

    /// Checks the names of a header row that stands at `line`.
    static func check(_ names: [String], line: Int64) throws(ConnectorError) {
        var seen: [String: Int] = [:]
        for (index, name) in names.enumerated() {
            if name.isEmpty {
                throw .csvHeader(
                    "Column \(index + 1) of the header row at line \(line) has no name."
                )
            }
            if let other = seen.updateValue(index + 1, forKey: name) {
                throw .csvHeader(
                    """
                    Columns \(other) and \(index + 1) of the header row at line \(line) are both \
                    called `\(name)`.
                    """
                )
            }
        }
    }

    /// The names as one row of RFC 4180, for a position's state.
    static func encode(_ names: [String]) -> String {
        names.map { name in
            var cell = "\""
            for character in name.unicodeScalars {
                if character == "\"" { cell.unicodeScalars.append("\"") }
                cell.unicodeScalars.append(character)
            }
            return cell + "\""
        }.joined(separator: ",")
    }

    /// The names of ``encode(_:)``, or `nil` when `state` is something else.
    static func decode(_ state: String) -> [String]? {
        var names: [String] = []
        var rest = Array(state.unicodeScalars)[...]
        while true {
            guard rest.popFirst() == "\"" else { return nil }
            var name = ""
            while true {
                guard let character = rest.popFirst() else { return nil }
                if character == "\"" {
                    guard rest.first == "\"" else { break }
                    rest.removeFirst()
                }
                name.unicodeScalars.append(character)
            }
            names.append(name)
            guard let separator = rest.popFirst() else { return names }
            guard separator == "," else { return nil }
        }
    }
}
