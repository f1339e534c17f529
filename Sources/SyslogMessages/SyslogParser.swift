internal import ConnectorSDK

/// Takes syslog messages apart, RFC 5424 and RFC 3164, without copying or allocating.
///
/// It never fails: what is neither is a message of format ``SyslogMessage/Format/unrecognised``.
/// Reads no byte outside of the text.
public struct SyslogParser {
    private var clock: BSDClock
    private var elements = StructuredDataScanner()

    /// Makes a parser.
    ///
    /// - Parameter zone: the zone of times that do not say theirs.
    public init(zone: SyslogZone = .utc) {
        clock = BSDClock(zone: zone)
    }

    /// Takes a message apart.
    ///
    /// - Parameters:
    ///   - text: one message, without framing.
    ///   - received: seconds since the epoch when it came; RFC 3164 has no year, so the one is
    ///     taken that brings the time nearest to this.
    /// - Returns: slices of `text`.
    public mutating func parse(
        _ text: UnsafeRawBufferPointer,
        received: Int64
    ) -> SyslogMessage {
        var message = SyslogMessage()
        var cursor = ByteCursor(Self.trimmed(text))
        message.priority = Self.priority(&cursor)
        let start = cursor
        if message.priority >= 0, Self.isVersioned(cursor) {
            if parseVersioned(&cursor, into: &message) { return message }
        } else if parseBSD(&cursor, received, into: &message) {
            return message
        }
        var rest = SyslogMessage()
        rest.priority = message.priority
        rest.message = start.rest
        return rest
    }

    /// Senders end messages with a line feed or, in C's manner, with a NUL.
    private static func trimmed(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var count = text.count
        while count > 0, case let last = text[count - 1], last == 0x0A || last == 0x0D || last == 0
        {
            count -= 1
        }
        return UnsafeRawBufferPointer(rebasing: text[..<count])
    }

    /// Takes `<13>` off; -1 when there is none.
    private static func priority(_ cursor: inout ByteCursor) -> Int16 {
        var next = cursor
        guard next.take(UInt8(ascii: "<")), let value = next.number(digits: 1...3), value <= 191,
            next.take(UInt8(ascii: ">"))
        else { return -1 }
        cursor = next
        return Int16(value)
    }

    /// Whether a version follows, which RFC 3164 never has.
    private static func isVersioned(_ cursor: ByteCursor) -> Bool {
        var next = cursor
        guard let version = next.number(digits: 1...3), version > 0 else { return false }
        return next.take(.space)
    }

    // MARK: RFC 5424

    private mutating func parseVersioned(
        _ cursor: inout ByteCursor,
        into message: inout SyslogMessage
    ) -> Bool {
        guard cursor.number(digits: 1...3) == 1, cursor.take(.space),
            let time = cursor.word(), Self.readTime(time, into: &message),
            let hostname = cursor.word(), let appName = cursor.word(),
            let processID = cursor.word(), let messageID = cursor.word()
        else { return false }
        message.hostname = Self.unlessNil(hostname)
        message.appName = Self.unlessNil(appName)
        message.processID = Self.unlessNil(processID)
        message.messageID = Self.unlessNil(messageID)
        if !cursor.take(UInt8(ascii: "-")) {
            let rest = cursor.rest
            guard let length = elements.length(of: rest) else { return false }
            message.structuredData = UnsafeRawBufferPointer(rebasing: rest[..<length])
            cursor.skip(length)
        }
        if !cursor.isAtEnd {
            guard cursor.take(.space) else { return false }
            cursor.skipByteOrderMark()
            message.message = cursor.rest
        }
        message.format = .rfc5424
        return true
    }

    private static func readTime(
        _ word: UnsafeRawBufferPointer,
        into message: inout SyslogMessage
    ) -> Bool {
        if unlessNil(word).baseAddress == nil { return true }
        guard let cell = Timestamp.read(word) else { return false }
        message.timestamp = cell
        return true
    }

    private static func unlessNil(_ word: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        word.count == 1 && word[0] == UInt8(ascii: "-") ? SyslogMessage.absent : word
    }

    // MARK: RFC 3164

    private mutating func parseBSD(
        _ cursor: inout ByteCursor,
        _ received: Int64,
        into message: inout SyslogMessage
    ) -> Bool {
        message.timestamp = clock.takeTime(&cursor, received)
        let hasTime = message.timestamp.tag != .missing
        guard hasTime || message.priority >= 0 else { return false }
        message.format = .bsd
        if hasTime, !BSDTag.isNext(cursor) {
            // A machine's name, unless it is the only word, which then is what was to be said.
            var next = cursor
            if let word = next.word(), !next.isAtEnd {
                message.hostname = word
                cursor = next
            }
        }
        BSDTag.take(&cursor, into: &message)
        message.message = cursor.rest
        return true
    }
}
