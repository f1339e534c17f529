/// A path into a JSON document, RFC 6901.
internal struct JSONPointer: Equatable, Sendable {
    /// The names on the way, unescaped, as UTF-8.
    let tokens: [[UInt8]]

    /// Reads a pointer; `nil` when it does not begin with `/` or has a `~` that escapes nothing.
    ///
    /// The empty pointer is the whole document.
    init?(_ text: String) {
        guard !text.isEmpty else {
            tokens = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        var tokens: [[UInt8]] = []
        for part in text.utf8.dropFirst().split(
            separator: UInt8(ascii: "/"),
            omittingEmptySubsequences: false
        ) {
            var token: [UInt8] = []
            var escape = false
            for byte in part {
                switch (escape, byte) {
                case (false, UInt8(ascii: "~")): escape = true
                case (false, _): token.append(byte)
                case (true, UInt8(ascii: "0")): token.append(UInt8(ascii: "~"))
                case (true, UInt8(ascii: "1")): token.append(UInt8(ascii: "/"))
                default: return nil
                }
                if byte != UInt8(ascii: "~") { escape = false }
            }
            guard !escape else { return nil }
            tokens.append(token)
        }
        self.tokens = tokens
    }

    /// The array index that a token is, or `nil`: digits without a leading zero.
    static func index(_ token: [UInt8]) -> Int? {
        guard !token.isEmpty, token.count <= 18, token.allSatisfy({ $0 &- 0x30 <= 9 }) else {
            return nil
        }
        guard token[0] != 0x30 || token.count == 1 else { return nil }
        return token.reduce(0) { $0 * 10 + Int($1 &- 0x30) }
    }
}
