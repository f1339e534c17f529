/// A place in a server's write-ahead log, in bytes from its start.
@frozen
public struct LSN: RawRepresentable, Hashable, Comparable, Sendable {
    /// The place as a number.
    public var rawValue: UInt64

    /// Makes a place from its number.
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Makes a place from its number.
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// Stands for "no place", as PostgreSQL has it.
    public static var zero: LSN { @inlinable get { LSN(0) } }

    /// Reads PostgreSQL's notation, two hexadecimal numbers such as `16/B374D848`.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let high = Self.number(parts[0]), let low = Self.number(parts[1])
        else { return nil }
        rawValue = high << 32 | low
    }

    private static func number(_ digits: some StringProtocol) -> UInt64? {
        guard (1...8).contains(digits.utf8.count), digits.utf8.first != UInt8(ascii: "+") else {
            return nil
        }
        return UInt64(digits, radix: 16)
    }

    /// Orders by place.
    @inlinable
    public static func < (left: LSN, right: LSN) -> Bool { left.rawValue < right.rawValue }
}

extension LSN: CustomStringConvertible {
    /// PostgreSQL's notation, such as `16/B374D848`.
    public var description: String {
        let high = String(rawValue >> 32, radix: 16, uppercase: true)
        return high + "/" + String(rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }
}
