public import ConnectorSDK
internal import Glibc
internal import JSONDocuments

/// The configuration of a program that is a connector: `config` as JSON text.
public enum ProgramConfiguration {
    /// The key.
    public static let config = ConfigMapKey(
        "config",
        importance: .high,
        help: """
            The program's own configuration: nested keys, or the path of a JSON file, or \
            JSON text. A nested value that is JSON, such as `5432`, `true` or `["id"]`, is given \
            as that, and other text as text; `'"5432"'` is a text of digits.
            """
    )

    /// JSON text.
    public static func text(_ configuration: Configuration) throws(ConnectorError) -> String {
        let name = config.declaration.name
        let prefix = name + "."
        let nested = configuration.values.filter { $0.key.hasPrefix(prefix) }
            .sorted { $0.key < $1.key }
        guard let whole = configuration.values[name] else {
            return tree(nested.map { ($0.key.dropFirst(prefix.count)[...], $0.value) }).text
        }
        guard nested.isEmpty else {
            throw .invalid(name, "Either the whole configuration is given, or nested keys are.")
        }
        let isText = whole.drop(while: \.isWhitespace).hasPrefix("{")
        let text = isText ? whole : try content(configuration.path(whole), of: name)
        guard let document = JSONDocument(parsingAny: text), document.fields != nil else {
            throw .invalid(name, "This is no JSON object.")
        }
        return document.text
    }

    /// An object of values whose names have dots where it is nested.
    private static func tree(_ values: [(Substring, String)]) -> JSONDocument {
        var fields: [(String, JSONDocument)] = []
        var inner: [(name: String, values: [(Substring, String)])] = []
        for (name, value) in values {
            guard let dot = name.firstIndex(of: ".") else {
                fields.append((String(name), self.value(value)))
                continue
            }
            let first = String(name[..<dot])
            let rest = (name[name.index(after: dot)...], value)
            if let index = inner.firstIndex(where: { $0.name == first }) {
                inner[index].values.append(rest)
            } else {
                inner.append((first, [rest]))
            }
        }
        return .object(fields + inner.map { ($0.name, tree($0.values)) })
    }

    private static func value(_ text: String) -> JSONDocument {
        JSONDocument(parsingAny: text) ?? .string(text)
    }

    /// The content of the file that a key names.
    public static func content(
        _ path: String,
        of key: String
    ) throws(ConnectorError) -> String {
        guard let file = fopen(path, "r") else { throw unreadable(path, errno, key) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65_536)
        // No configuration or catalog is larger. (D7)
        while bytes.count < 256 << 20 {
            let count = fread(&room, 1, room.count, file)
            if count == 0 { break }
            bytes += room[..<count]
        }
        // As of a directory, which can be opened.
        guard ferror(file) == 0 else { throw unreadable(path, errno, key) }
        return String(decoding: bytes, as: UTF8.self)
    }
    private static func unreadable(_ path: String, _ code: Int32, _ key: String) -> ConnectorError {
        ConnectorError(
            .fileSystem,
            .failTask,
            "\(path) cannot be read: \(String(cString: strerror(code))).",
            kind: .environment,
            at: key
        )
    }
}
