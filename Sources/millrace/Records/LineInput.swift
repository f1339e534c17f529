import Glibc

/// The lines of standard input, without their ends.
struct LineInput: ~Copyable {
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    /// The next line, or `nil` at the end.
    mutating func next() throws -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return buffer[start..<end]
            }
            guard !isAtEnd else {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return buffer[start...]
            }
            searched = buffer.count - start
            try fill()
        }
    }

    /// Whether a line can be had without waiting for more input.
    var hasLine: Bool { buffer[start...].contains(UInt8(ascii: "\n")) }

    /// Moves the unread rest to the front and appends what can be read.
    private mutating func fill() throws {
        buffer.removeFirst(start)
        start = 0
        let used = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: 256 << 10))
        var count = -1
        repeat {
            count = buffer.withUnsafeMutableBytes { bytes in
                read(STDIN_FILENO, bytes.baseAddress.map { $0 + used }, bytes.count - used)
            }
        } while count < 0 && errno == EINTR
        buffer.removeLast(buffer.count - used - max(count, 0))
        guard count >= 0 else {
            throw Failure(
                .environment,
                code: "cli.input",
                "Standard input cannot be read: \(String(cString: strerror(errno)))."
            )
        }
        isAtEnd = count == 0
    }
}
