internal import Glibc

/// How messages follow each other on a stream. (RFC 6587)
public enum FramingStyle: String, CaseIterable, Sendable {
    /// Each connection is one of the others, as its first byte tells.
    case auto
    /// The length of a message stands in front of it.
    case octetCounting = "octet-counting"
    /// A line is a message.
    case newline
}

/// Why a stream cannot be cut into messages any further.
public enum FramingProblem: Error {
    /// A message is longer than it may be.
    case tooLong
    /// A length is none.
    case malformed
}

/// Finds messages in the bytes of one connection. (RFC 6587)
///
/// A value that is fed bytes and holds none of them.
public struct MessageFramer {
    // No message is so long that its length had more digits.
    private static let mostDigits = 9
    private static let newline: UInt8 = 0x0A

    /// How messages follow each other, as far as it is known.
    public private(set) var style: FramingStyle
    private let longest: Int
    /// How many bytes of the unfinished line are known to have no end.
    private var scanned = 0

    /// Makes a framer of one connection; `longest` is the longest message.
    public init(_ style: FramingStyle, longest: Int) {
        self.style = style
        self.longest = longest
    }

    /// Finds the messages that are whole.
    ///
    /// - Parameters:
    ///   - bytes: what was not consumed before, and what has come since.
    ///   - found: gets the places of messages, which are not empty.
    /// - Returns: how many bytes are consumed.
    /// - Throws: when no message can be found behind those that were.
    public mutating func scan(
        _ bytes: UnsafeRawBufferPointer,
        _ found: inout [Range<Int>]
    ) throws(FramingProblem) -> Int {
        var at = 0
        while at < bytes.count {
            if style == .auto {
                // Blank lines come before either.
                if bytes[at] == Self.newline {
                    at += 1
                    continue
                }
                style = (0x31...0x39).contains(bytes[at]) ? .octetCounting : .newline
            }
            let end =
                style == .newline ? try line(bytes, at, &found) : try counted(bytes, at, &found)
            guard let end else { break }
            at = end
        }
        return at
    }

    /// Takes one line; returns where the next begins, or `nil` when the line has no end yet.
    private mutating func line(
        _ bytes: UnsafeRawBufferPointer,
        _ start: Int,
        _ found: inout [Range<Int>]
    ) throws(FramingProblem) -> Int? {
        let from = start + scanned
        guard let base = bytes.baseAddress,
            let place = memchr(base + from, Int32(Self.newline), bytes.count - from)
        else {
            guard bytes.count - start <= longest else { throw .tooLong }
            scanned = bytes.count - start
            return nil
        }
        scanned = 0
        let end = UnsafeRawPointer(place) - base
        guard end - start <= longest else { throw .tooLong }
        if end > start { found.append(start..<end) }
        return end + 1
    }

    /// Takes one message behind its length; returns where the next begins, or `nil` when it is not
    /// all there.
    private func counted(
        _ bytes: UnsafeRawBufferPointer,
        _ start: Int,
        _ found: inout [Range<Int>]
    ) throws(FramingProblem) -> Int? {
        // Some senders put a line end behind each message all the same.
        if bytes[start] == Self.newline { return start + 1 }
        var at = start
        var length = 0
        while at < bytes.count, case let digit = bytes[at] &- 0x30, digit < 10 {
            guard at - start < Self.mostDigits else { throw .malformed }
            length = length * 10 + Int(digit)
            at += 1
        }
        guard at < bytes.count else { return nil }
        guard at > start, bytes[at] == UInt8(ascii: " ") else { throw .malformed }
        guard length <= longest else { throw .tooLong }
        guard bytes.count - (at + 1) >= length else { return nil }
        if length > 0 { found.append(at + 1..<at + 1 + length) }
        return at + 1 + length
    }
}
