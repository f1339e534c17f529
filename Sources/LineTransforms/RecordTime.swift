internal import ConnectorSDK
internal import Glibc
internal import SyslogMessages
internal import TextParsing

/// Finds a record's time in one of its fields.
internal struct RecordTime {
    static let formatKey = ConfigKey.string(
        "timestamp.format",
        default: "iso8601",
        help: """
            How the time is written, unless the field is a time already: `iso8601`; `rfc3164` as \
            in `Oct 11 22:14:15`; `epoch_s`, `epoch_ms`, `epoch_us` or `epoch_ns`, with or without \
            a fraction; or a pattern of strftime's directives: `%Y %y %m %b %d %e %j %a %H %I %p \
            %M %S %f %z %Z %s %F %T %R %D %%`, with `%.f` for a fraction that may be missing. A \
            year that is not written is the one that brings the time nearest to now. What is finer \
            than a microsecond is cut off.
            """,
        validator: { TimestampFormat.problem($0) }
    )
    static let zoneKey = ConfigKey.string(
        "timezone",
        default: "UTC",
        help: "The zone of times that name none: `UTC`, or an offset such as `+02:00`.",
        validator: { offset($0) == nil ? "must be UTC or an offset such as +02:00" : nil }
    )

    /// The field of the time.
    let field: String
    private let format: TimestampFormat

    init(field: String, _ configuration: Configuration) throws(ConnectorError) {
        self.field = field
        let text = try configuration.get(Self.formatKey)
        let zone = try Self.offset(configuration)
        do throws(TimestampFormatError) {
            format = try TimestampFormat(text, offsetSeconds: zone)
        } catch {
            throw .invalid("timestamp.format", "The value \(error.description).")
        }
    }

    /// The zone of times that name none.
    static func zone(_ configuration: Configuration) throws(ConnectorError) -> SyslogZone {
        .offset(try offset(configuration))
    }

    /// The zone in seconds east of UTC.
    static func offset(_ configuration: Configuration) throws(ConnectorError) -> Int32 {
        offset(try configuration.get(zoneKey)) ?? 0
    }

    private static func offset(_ text: String) -> Int32? {
        switch SyslogZone(text) {
        case .utc: 0
        case .offset(let seconds): seconds
        default: nil
        }
    }

    /// Milliseconds since the epoch; `nil` when the cell is no time of the format.
    func read(_ cell: Cell, near received: Int64) -> Int64? {
        format.read(cell, near: received).map { CivilDate.floor($0.int64, 1_000) }
    }

    /// When a record came, in microseconds since the epoch: its timestamp, else now.
    static func received(_ metadata: RecordMetadata, now: Int64) -> Int64 {
        let timestamp = metadata.timestamp
        return timestamp == RecordMetadata.noTimestamp || timestamp.magnitude > 1 << 52
            ? now : timestamp &* 1_000
    }

    /// Now, in microseconds since the epoch.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1_000
    }
}
