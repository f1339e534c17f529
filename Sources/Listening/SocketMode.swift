/// Who may connect to a Unix socket, as `chmod` has it: whoever may write to its file.
public struct SocketMode: Hashable, Sendable {
    /// The bits of the file.
    public let bits: UInt32

    /// Reads three or four octal digits, such as `0660`.
    public init?(_ text: String) {
        guard (3...4).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x37).contains($0) }),
            let bits = UInt32(text, radix: 8), bits <= 0o777
        else { return nil }
        self.bits = bits
    }

    /// The owner and the group: `0660`.
    public static let ownerAndGroup = Self(bits: 0o660)

    private init(bits: UInt32) { self.bits = bits }
}
