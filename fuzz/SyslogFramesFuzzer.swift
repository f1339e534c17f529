internal import SyslogMessages

/// The input is what one connection sends, behind a byte that says in which pieces.
func feedSyslogFrames(_ input: UnsafeBufferPointer<UInt8>) {
    guard let first = input.first else { return }
    let bytes = Array(input.dropFirst())
    let style: FramingStyle =
        switch first >> 6 {
        case 0: .newline
        case 1: .octetCounting
        default: .auto
        }
    let whole = frames(bytes, style, piece: bytes.count)
    let pieces = frames(bytes, style, piece: Int(first & 63) + 1)
    precondition(whole.problem == pieces.problem, "A problem depends on the pieces.")
    precondition(whole.messages == pieces.messages, "Messages depend on the pieces.")
}

// Short, so that made-up input has messages that are longer.
private let longest = 200

/// What is found in pieces of a stream, as a connection does.
private func frames(
    _ bytes: [UInt8],
    _ style: FramingStyle,
    piece: Int
) -> (messages: [[UInt8]], problem: FramingProblem?) {
    var framer = MessageFramer(style, longest: longest)
    var messages: [[UInt8]] = []
    var held: [UInt8] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        held += rest.prefix(max(1, piece))
        rest = rest.dropFirst(max(1, piece))
        var found: [Range<Int>] = []
        var problem: FramingProblem?
        var consumed = 0
        held.withUnsafeBytes { bytes in
            do throws(FramingProblem) {
                consumed = try framer.scan(bytes, &found)
            } catch {
                problem = error
            }
        }
        var end = 0
        for range in found {
            precondition(!range.isEmpty && range.count <= longest, "A message has no such length.")
            precondition(range.lowerBound >= end, "Messages lie in each other.")
            end = range.upperBound
            messages.append(Array(held[range]))
        }
        if let problem { return (messages, problem) }
        precondition(end <= consumed && consumed <= held.count, "More was taken than there was.")
        held.removeFirst(consumed)
        // D7: what is held is one message and its length.
        precondition(held.count <= longest + 11, "More is held than a message.")
    }
    return (messages, nil)
}
