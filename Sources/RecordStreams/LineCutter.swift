public import ConnectorSDK
internal import Glibc

/// Cuts a program's output into lines, in place.
public final class LineCutter {
    /// A line of the input, or why there is none.
    public enum Line {
        /// Without its end; it stays where it is until the next call.
        case text(UnsafeRawBufferPointer)
        /// Longer than allowed: its start. The rest was passed over. (D7)
        case tooLong([UInt8])
        case end
    }

    private static let sample = 1_024

    /// What the lines are cut out of.
    public let input: ByteInput
    private let limit: Int
    private var consumed = 0
    /// The number of the line that was given last, from 1.
    public private(set) var number: Int64 = 0

    /// Makes a cutter of lines of up to `limit` bytes.
    public init(_ input: ByteInput, limit: Int) {
        self.input = input
        self.limit = limit
    }

    /// Whether the next line is not there as a whole.
    public var isAtWindowEnd: Bool {
        let rest = input.window[consumed...]
        return !rest.contains(0x0a)
    }

    /// The next line that is not blank.
    public func next() throws(ConnectorError) -> Line {
        while true {
            input.consume(consumed)
            consumed = 0
            let line = try take()
            guard case .text(let text) = line, text.allSatisfy({ $0 == 0x20 || $0 == 0x0d }) else {
                return line
            }
        }
    }

    private func take() throws(ConnectorError) -> Line {
        var searched = 0
        while true {
            let window = input.window
            if let base = window.baseAddress, searched < window.count,
                let found = memchr(base + searched, 0x0a, window.count - searched)
            {
                let end = UnsafeRawPointer(found) - base
                number += 1
                consumed = end + 1
                let line = UnsafeRawBufferPointer(rebasing: window[..<end])
                return end > limit ? .tooLong(Array(line.prefix(Self.sample))) : .text(line)
            }
            searched = window.count
            if window.count > limit { return try skip() }
            guard try input.fill() else {
                guard !input.window.isEmpty else { return .end }
                number += 1
                consumed = input.window.count
                return .text(input.window)
            }
        }
    }

    private func skip() throws(ConnectorError) -> Line {
        let start = Array(input.window.prefix(Self.sample))
        number += 1
        repeat {
            let window = input.window
            if let end = window.firstIndex(of: 0x0a) {
                consumed = end + 1
                break
            }
            input.consume(window.count)
        } while try input.fill()
        return .tooLong(start)
    }
}
