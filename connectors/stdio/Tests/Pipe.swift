import Glibc

/// A pipe of a test's own: one end for the connector, the other for the test.
final class Pipe {
    private(set) var readEnd: Int32
    private(set) var writeEnd: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "A pipe can be made.")
        (readEnd, writeEnd) = (ends[0], ends[1])
        // What a test writes or reads at once fits in.
        _ = signal(SIGPIPE, SIG_IGN)
    }

    deinit {
        closeReadEnd()
        closeWriteEnd()
    }

    func write(_ text: String) { write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) {
        let count = bytes.withUnsafeBytes { Glibc.write(writeEnd, $0.baseAddress, $0.count) }
        precondition(count == bytes.count, "The pipe takes it.")
    }

    func closeReadEnd() {
        if readEnd >= 0 { close(readEnd) }
        readEnd = -1
    }

    /// Hands over the read end, for whoever takes it to close.
    func giveReadEnd() -> Int32 {
        defer { readEnd = -1 }
        return readEnd
    }

    func closeWriteEnd() {
        if writeEnd >= 0 { close(writeEnd) }
        writeEnd = -1
    }

    /// Everything that was written into it, once its write end is closed.
    func content() -> String {
        closeWriteEnd()
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(readEnd, &room, room.count), count > 0 {
            bytes += room[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
