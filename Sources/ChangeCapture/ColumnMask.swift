internal import ConnectorSDK

/// What a user wants done to the values of some columns so that they cannot be read.
internal struct ColumnMask: Sendable {
    enum Method: Sendable {
        /// So many asterisks, whatever the value.
        case asterisks(Int)
        /// At most so many characters.
        case truncation(Int)
        /// The hash of a salt and the value's text.
        case hash(SHA2.Algorithm, salt: [UInt8])
    }

    let columns: NameFilter
    let method: Method

    /// No column needs more, and a larger number is a mistake.
    private static let limit = 1 << 20

    static func masks(_ configuration: Configuration) throws(ConnectorError) -> [ColumnMask] {
        let asterisks = try counted(CaptureKeys.maskCharacters, configuration) { .asterisks($0) }
        let truncations = try counted(CaptureKeys.truncate, configuration) { .truncation($0) }
        return try asterisks + hashes(configuration) + truncations
    }

    /// The masks of keys such as `column.truncate.to.20.chars`.
    private static func counted(
        _ key: ConfigMapKey,
        _ configuration: Configuration,
        _ method: (Int) -> Method
    ) throws(ConnectorError) -> [ColumnMask] {
        let name = key.declaration.name
        var masks: [ColumnMask] = []
        for (rest, columns) in configuration.get(key).sorted(by: { $0.key < $1.key }) {
            guard let count = count(rest) else {
                throw .invalid(name, "Write `\(name).12.chars` with the number of characters.")
            }
            masks.append(ColumnMask(try filter(columns, name), method(count)))
        }
        return masks
    }

    private init(_ columns: NameFilter, _ method: Method) {
        self.columns = columns
        self.method = method
    }

    private static func count(_ text: String) -> Int? {
        guard text.hasSuffix(".chars"), let count = Int(text.dropLast(6)) else { return nil }
        return (0...limit).contains(count) ? count : nil
    }

    private static func hashes(
        _ configuration: Configuration
    ) throws(ConnectorError) -> [ColumnMask] {
        let name = CaptureKeys.maskHash.declaration.name
        var values = configuration.get(CaptureKeys.maskHash)
        let salt = values.removeValue(forKey: "salt")
        var masks: [ColumnMask] = []
        for (key, columns) in values.sorted(by: { $0.key < $1.key }) {
            // D8: the salt may be in the key, so that no message repeats it.
            let rest = key.hasPrefix("v2.") ? key.dropFirst(3) : key[...]
            guard let dot = rest.firstIndex(of: "."),
                let algorithm = SHA2.Algorithm(rawValue: rest[..<dot].uppercased())
            else {
                throw .invalid(
                    name,
                    "The hash is none of SHA-224, SHA-256, SHA-384 and SHA-512.",
                    hint: "Write `\(name).SHA-256.with.salt.` and the salt."
                )
            }
            let end = rest[rest.index(after: dot)...]
            let used = end == "columns" ? salt : end.hasPrefix("with.salt.") ? "" : nil
            guard var used else {
                throw .invalid(
                    name,
                    "There is no salt.",
                    hint: "Write `\(name).salt`, or `.with.salt.` and the salt behind the hash."
                )
            }
            if used.isEmpty { used = String(end.dropFirst("with.salt.".count)) }
            let method = Method.hash(algorithm, salt: Array(used.utf8))
            masks.append(ColumnMask(try filter(columns, name), method))
        }
        return masks
    }

    private static func filter(
        _ text: String,
        _ key: String
    ) throws(ConnectorError) -> NameFilter {
        let expressions = ListText.items(of: text)
        guard !expressions.isEmpty else { throw .invalid(key, "No columns are named.") }
        for expression in expressions {
            if let problem = NameFilter.problem(expression) {
                throw .invalid(key, "The column's name \(problem).")
            }
        }
        return NameFilter(expressions)
    }
}
