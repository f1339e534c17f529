import Glibc
import JSONDocuments

/// The reader of standard output has gone away, as `head` does; nobody is at fault.
struct BrokenPipe: Error {}

/// Standard output could not be written for another reason, such as a full disk.
struct OutputFailure: Error {
    var reason: String
}

/// Standard output, buffered; what is written shows after ``flush()``.
struct StandardOutput: ~Copyable {
    private static let flushSize = 256 << 10
    private var buffer: [UInt8] = []

    /// Adds text and a line end.
    mutating func writeLine(_ text: String) throws {
        buffer += text.utf8
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// Adds bytes and a line end.
    mutating func writeLine(_ bytes: UnsafeRawBufferPointer) throws {
        buffer += bytes
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.flushSize { try flush() }
    }

    /// Adds bytes.
    mutating func write(_ bytes: [UInt8]) { buffer += bytes }

    /// Writes out everything that was added.
    mutating func flush() throws {
        var written = 0
        while written < buffer.count {
            let count = buffer[written...].withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
            }
            if count >= 0 {
                written += count
            } else if errno == EPIPE {
                throw BrokenPipe()
            } else if errno != EINTR {
                throw OutputFailure(reason: String(cString: strerror(errno)))
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Writes one line at once.
    static func printLine(_ text: String) throws {
        var output = StandardOutput()
        try output.writeLine(text)
        try output.flush()
    }

    /// Writes one JSON document at once.
    static func print(_ document: JSONDocument) throws {
        try printLine(document.text)
    }
}
