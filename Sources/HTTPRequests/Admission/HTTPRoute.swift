/// A path that takes records.
public struct HTTPRoute: Hashable, Sendable {
    /// What the path begins with, or is.
    private let prefix: String
    /// Whether a `*` follows.
    public let isOpen: Bool
    private static let longestName = 200

    /// Reads `/orders` or `/events/*`; `nil` when it is neither.
    public init?(_ text: String) {
        isOpen = text.hasSuffix("*")
        prefix = isOpen ? String(text.dropLast()) : text
        guard prefix.hasPrefix("/"), !prefix.contains("*"), !prefix.contains("?") else {
            return nil
        }
    }

    /// What the `*` stands for in a path, empty without one; `nil` when this is another path.
    public func match(_ path: Substring) -> Substring? {
        guard path.hasPrefix(prefix) else { return nil }
        let rest = path.dropFirst(prefix.count)
        guard isOpen else { return rest.isEmpty ? rest : nil }
        let isName = rest.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isName && !rest.isEmpty && rest.utf8.count <= Self.longestName ? rest : nil
    }
}
