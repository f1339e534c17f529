/// The tag of RFC 3164: `program:`, `program[process]:` or, without a colon, `program[process]`.
enum BSDTag {
    /// Longer words are no names of programs; some put a whole path here.
    private static let limit = 128

    /// Whether a tag is next, and not the name of a machine.
    static func isNext(_ cursor: ByteCursor) -> Bool { length(cursor) != nil }

    /// Takes a tag off, if there is one, and the space behind it.
    static func take(_ cursor: inout ByteCursor, into message: inout SyslogMessage) {
        guard let (name, process, all) = length(cursor) else { return }
        let rest = cursor.rest
        message.appName = UnsafeRawBufferPointer(rebasing: rest[..<name])
        if !process.isEmpty {
            message.processID = UnsafeRawBufferPointer(rebasing: rest[process])
        }
        cursor.skip(all)
        _ = cursor.take(.space)
    }

    /// The length of the program's name, where the process is, and the length of it all.
    private static func length(
        _ cursor: ByteCursor
    ) -> (name: Int, process: Range<Int>, all: Int)? {
        var name = 0
        while let byte = cursor.peek(name), byte != .space, byte != UInt8(ascii: "["),
            byte != UInt8(ascii: ":") || !endsWord(cursor, name + 1)
        {
            name += 1
            if name > limit { return nil }
        }
        guard name > 0 else { return nil }
        switch cursor.peek(name) {
        case UInt8(ascii: ":"): return (name, 0..<0, name + 1)
        case UInt8(ascii: "["):
            var end = name + 1
            while let byte = cursor.peek(end), byte != UInt8(ascii: "]") {
                end += 1
                if byte == .space || end - name > limit { return nil }
            }
            guard cursor.peek(end) != nil else { return nil }
            let process = name + 1..<end
            if cursor.peek(end + 1) == UInt8(ascii: ":") { return (name, process, end + 2) }
            return endsWord(cursor, end + 1) ? (name, process, end + 1) : nil
        default: return nil
        }
    }

    /// An address of IPv6 has colons too, but none at its end.
    private static func endsWord(_ cursor: ByteCursor, _ distance: Int) -> Bool {
        guard let byte = cursor.peek(distance) else { return true }
        return byte == .space
    }
}
