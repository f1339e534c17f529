/// Cuts what a program writes to standard error into lines.
///
/// Only the start of a long line is kept, whatever the program writes. (D7)
struct ErrorLines {
    /// What a person reads of a line.
    private static let limit = 4_096
    /// What is kept of a line: a secret that crosses the limit must be found before it is cut. (D8)
    private static let kept = 65_536

    private let redact: (String) -> String
    private var line: [UInt8] = []
    private var dropped = 0

    /// Makes a cutter of lines in which `redact` replaces secrets.
    init(redact: @escaping (String) -> String = { $0 }) { self.redact = redact }

    /// Takes bytes, and returns the lines that they complete.
    mutating func append(_ bytes: UnsafeRawBufferPointer) -> [String] {
        var lines: [String] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0a) {
            keep(rest[..<end])
            if let text = take() { lines.append(text) }
            rest = rest[(end + 1)...]
        }
        keep(rest)
        return lines
    }

    /// The line that has no end, at the end of everything.
    mutating func take() -> String? {
        defer {
            line.removeAll(keepingCapacity: true)
            dropped = 0
        }
        if line.last == 0x0d { line.removeLast() }
        guard !line.isEmpty else { return nil }
        let text = redact(String(decoding: line, as: UTF8.self))
        let rest = max(0, text.utf8.count - Self.limit) + dropped
        guard rest > 0 else { return text }
        return String(decoding: text.utf8.prefix(Self.limit), as: UTF8.self)
            + "… (\(rest) bytes more)"
    }

    private mutating func keep(_ part: Slice<UnsafeRawBufferPointer>) {
        let kept = part.prefix(Self.kept - line.count)
        line += kept
        dropped += part.count - kept.count
    }
}
