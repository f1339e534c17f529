public import ConnectorSDK

/// What one syslog message says, as slices of the text it was read from.
///
/// Valid as long as that text is. A slice whose address is `nil` means that the message does not
/// say, or says `-`.
public struct SyslogMessage: BitwiseCopyable {
    /// How the message is written.
    @frozen
    public enum Format: UInt8, BitwiseCopyable, Sendable {
        /// RFC 5424.
        case rfc5424
        /// RFC 3164 and what programs really send in its name.
        case bsd
        /// Neither: ``message`` is all that follows the priority, if there is one.
        case unrecognised
    }

    /// How the message is written.
    public var format = Format.unrecognised
    /// 8 × facility + severity, 0 to 191; -1 when the message does not say.
    public var priority: Int16 = -1
    /// A timestamp cell, or a missing one.
    public var timestamp = Cell.missing
    /// The machine that the message is from.
    public var hostname = absent
    /// The program; of RFC 3164 the tag.
    public var appName = absent
    /// The process, which need not be a number.
    public var processID = absent
    /// The kind of the message; RFC 5424 only.
    public var messageID = absent
    /// The elements as they are written, such as `[id a="1"][id2]`; RFC 5424 only.
    public var structuredData = absent
    /// The text, without a byte order mark in front and line ends or a NUL behind.
    public var message = absent

    /// Makes a message that says nothing.
    public init() {}

    /// What the message does not say.
    public static var absent: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: nil, count: 0)
    }
}
