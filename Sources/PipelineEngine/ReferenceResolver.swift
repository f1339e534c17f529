internal import Glibc
public import ConnectorSDK

/// Puts in what `${env:NAME}`, `${env:NAME:default}`, `${file:path:key}` and
/// `${directory:path:key}` stand for.
///
/// `file` reads a line `key=value`, `directory` the whole file `path/key`. Other `${…}`, such as
/// `${topic}`, stay: they are filled in per record. Errors name the reference, not the value. (D8)
public struct ReferenceResolver: Sendable {
    /// The largest file that a reference may read: references hold passwords, not data.
    private static let sizeLimit = 1 << 20
    private static let providers = ["env", "file", "directory"]

    private let baseDirectory: String
    private let environment: @Sendable (String) -> String?

    /// Makes a resolver; relative paths start from `baseDirectory`.
    public init(baseDirectory: String) {
        self.init(baseDirectory: baseDirectory) { name in
            getenv(name).map { String(cString: $0) }
        }
    }

    /// Makes a resolver that takes environment variables from elsewhere.
    public init(
        baseDirectory: String,
        environment: @escaping @Sendable (String) -> String?
    ) {
        self.baseDirectory = baseDirectory
        self.environment = environment
    }

    /// Whether a text holds a reference that is resolved when a connector starts.
    public static func hasReference(_ text: String) -> Bool {
        providers.contains { text.contains("${\($0):") }
    }

    /// Returns the values with every reference replaced, and the texts that came of references,
    /// which must never be shown.
    public func resolve(
        _ values: [String: String]
    ) throws(ConnectorError) -> (values: [String: String], secrets: Secrets) {
        var resolved = values
        var secrets = Secrets()
        for (key, text) in values.sorted(by: { $0.key < $1.key }) where Self.hasReference(text) {
            resolved[key] = try resolve(text, of: key, secrets: &secrets)
        }
        return (resolved, secrets)
    }

    /// Returns a text with every reference in it replaced.
    ///
    /// What comes in is not searched again.
    public func resolve(_ text: String, of key: String) throws(ConnectorError) -> String {
        var secrets = Secrets()
        return try resolve(text, of: key, secrets: &secrets)
    }

    private func resolve(
        _ text: String,
        of key: String,
        secrets: inout Secrets
    ) throws(ConnectorError) -> String {
        var result = ""
        var rest = Substring(text)
        while let open = rest.firstRange(of: "${") {
            result += rest[..<open.lowerBound]
            guard let close = rest[open.upperBound...].firstIndex(of: "}") else {
                throw .invalid(key, "A reference that begins with `${` has no closing `}`.")
            }
            let inside = rest[open.upperBound..<close]
            let whole = "${\(inside)}"
            if Self.hasReference(whole) {
                let value = try value(of: inside, in: key)
                secrets.insert(value, for: whole)
                result += value
            } else {
                result += whole
            }
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }

    private func value(of inside: Substring, in key: String) throws(ConnectorError) -> String {
        let parts = inside.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        let reference = "${\(parts.prefix(2).joined(separator: ":"))"
        if parts[0] == "env" {
            let name = String(parts[1])
            if let value = environment(name) { return value }
            if parts.count == 3 { return String(parts[2]) }
            throw .invalid(
                key,
                "The environment variable `\(name)` is not set.",
                hint: "Set it, or give a default: `${env:\(name):default}`."
            )
        }
        guard parts.count == 3, !parts[1].isEmpty, !parts[2].isEmpty else {
            throw .invalid(key, "The reference `\(reference)}` needs a path and a key.")
        }
        let path = parts[1].hasPrefix("/") ? String(parts[1]) : "\(baseDirectory)/\(parts[1])"
        if parts[0] == "directory" {
            guard !parts[2].contains("/") else {
                throw .invalid(key, "In `${\(inside)}` the key must be a file's name, not a path.")
            }
            return Self.withoutLineEnd(try read("\(path)/\(parts[2])", key: key, inside))
        }
        return try property(String(parts[2]), in: try read(path, key: key, inside), key, inside)
    }

    private func property(
        _ name: String,
        in text: String,
        _ key: String,
        _ inside: Substring
    ) throws(ConnectorError) -> String {
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.drop(while: \.isWhitespace)
            guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { continue }
            let found = line[..<equals].reversed().drop(while: \.isWhitespace).reversed()
            guard String(found) == name else { continue }
            return String(line[line.index(after: equals)...].drop(while: \.isWhitespace))
        }
        throw .invalid(key, "`${\(inside)}` finds no line `\(name)=…` in the file.")
    }

    private func read(
        _ path: String,
        key: String,
        _ inside: Substring
    ) throws(ConnectorError) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw .invalid(key, "`${\(inside)}` cannot be read: \(reason).")
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Self.sizeLimit + 1)
        var used = 0
        while used < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + used }, buffer.count - used)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                let reason = String(cString: strerror(errno))
                throw .invalid(key, "`${\(inside)}` cannot be read: \(reason).")
            }
            if count == 0 { break }
            used += count
        }
        guard used <= Self.sizeLimit else {
            throw .invalid(key, "`${\(inside)}` names a file that is larger than 1 MiB.")
        }
        return String(decoding: bytes[..<used], as: UTF8.self)
    }

    private static func withoutLineEnd(_ text: String) -> String {
        String(text.reversed().drop(while: \.isNewline).reversed())
    }
}

/// Texts that came of references, so that they can be kept out of whatever is shown. (D8)
public struct Secrets: Sendable {
    private var values: [(value: String, reference: String)] = []

    /// Makes an empty set.
    public init() {}

    mutating func insert(_ value: String, for reference: String) {
        // Shorter texts, such as a port or `true`, are no secrets, and would garble messages.
        guard value.utf8.count >= 4 else { return }
        values.append((value, reference))
        values.sort { $0.value.utf8.count > $1.value.utf8.count }
    }

    /// The text with every secret replaced by the reference it came from.
    public func redact(_ text: String) -> String {
        values.reduce(text) { $0.replacing($1.value, with: $1.reference) }
    }

    /// The error with every secret in its texts replaced, and without its cause, which may hold
    /// more than it should.
    public func redact(_ error: ConnectorError) -> ConnectorError {
        guard !values.isEmpty else { return error }
        var safe = error
        safe.message = redact(error.message)
        safe.hint = error.hint.map { redact($0) }
        safe.underlying = nil
        return safe
    }
}
