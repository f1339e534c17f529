import ConnectorSDK

/// Finds the end of a record that is too long to be held, byte after byte in constant memory.
///
/// Agrees with ``CSVScanner`` on where a record ends.
struct CSVSkipper {
    private enum State {
        case cellStart
        case unquoted
        case unquotedEscape
        case quoted
        case quotedEscape
        /// Behind a quote that closes the cell, unless another one follows.
        case quoteSeen
        /// Behind blanks that follow a closing quote.
        case afterQuote
        /// Behind the CR that ends the record; an LF belongs to it.
        case recordEnd
    }

    private let dialect: CSVDialect
    private var state = State.cellStart
    private var wasCarriageReturn = false
    /// An escape takes a CR, and the LF behind it, if there is one.
    private var isBehindEscapedReturn = false
    /// The line ends passed so far.
    private(set) var lineEnds: Int64 = 0

    init(_ dialect: CSVDialect) { self.dialect = dialect }

    /// Passes over `bytes` up to the end of the record; tells how many belong to it.
    ///
    /// A CR at the end of `bytes` does not show yet that the record is over.
    mutating func skip(_ bytes: UnsafeRawBufferPointer) -> (count: Int, isOver: Bool) {
        for (index, byte) in bytes.enumerated() {
            if state == .recordEnd { return (byte == 0x0A ? index + 1 : index, true) }
            if byte == 0x0A, isBehindEscapedReturn {
                isBehindEscapedReturn = false
                continue
            }
            isBehindEscapedReturn = false
            countLine(byte)
            if isRecordEnd(byte) {
                if byte == 0x0A { return (index + 1, true) }
                state = .recordEnd
            } else {
                step(byte)
            }
        }
        return (bytes.count, false)
    }

    private mutating func countLine(_ byte: UInt8) {
        let isSecondHalf = byte == 0x0A && wasCarriageReturn
        if byte == 0x0D || (byte == 0x0A && !isSecondHalf) { lineEnds &+= 1 }
        wasCarriageReturn = byte == 0x0D
    }

    private func isRecordEnd(_ byte: UInt8) -> Bool {
        guard byte == 0x0A || byte == 0x0D else { return false }
        switch state {
        case .cellStart, .unquoted, .quoteSeen, .afterQuote: return true
        case .unquotedEscape, .quoted, .quotedEscape, .recordEnd: return false
        }
    }

    private mutating func step(_ byte: UInt8) {
        let isQuote = UInt16(byte) == dialect.quote
        switch state {
        case .cellStart:
            if dialect.trims, dialect.isBlank(byte) { return }
            state = isQuote ? .quoted : unquoted(byte)
        case .unquoted:
            state = unquoted(byte)
        case .unquotedEscape:
            isBehindEscapedReturn = byte == 0x0D
            state = .unquoted
        case .quoted:
            if isQuote {
                state = .quoteSeen
            } else if UInt16(byte) == dialect.escape {
                state = .quotedEscape
            }
        case .quotedEscape:
            state = .quoted
        case .quoteSeen:
            if isQuote {
                state = .quoted
            } else {
                state = dialect.trims && dialect.isBlank(byte) ? .afterQuote : unquoted(byte)
            }
        case .afterQuote:
            if dialect.trims, dialect.isBlank(byte) { return }
            state = unquoted(byte)
        case .recordEnd: return
        }
    }

    private func unquoted(_ byte: UInt8) -> State {
        if byte == dialect.delimiter { return .cellStart }
        return UInt16(byte) == dialect.escape ? .unquotedEscape : .unquoted
    }
}
