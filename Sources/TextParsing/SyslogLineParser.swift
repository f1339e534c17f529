public import ConnectorSDK
public import SyslogMessages

/// Takes syslog messages apart, those of RFC 5424 and those of RFC 3164, told apart by themselves.
public final class SyslogLineParser: LineParser {
    public let fields = LineFields(SyslogFields.fields)
    private var parser: SyslogParser
    private let writer = SyslogFields()

    /// When the line that comes next was received, in microseconds since the epoch.
    ///
    /// RFC 3164 leaves the year out: it is the one that brings the time nearest to this.
    public var receivedAt: Int64 = 0

    /// Makes a parser; `zone` is that of times that do not say theirs.
    public init(zone: SyslogZone) { parser = SyslogParser(zone: zone) }

    public func begin(_ batch: RecordBatch) { writer.begin(batch) }

    public func parse(_ line: UnsafeRawBufferPointer, in batch: RecordBatch) -> LineProblem? {
        let message = parser.parse(line, received: CivilDate.floor(receivedAt, 1_000_000))
        guard message.format != .unrecognised else {
            return LineProblem(
                message.priority < 0
                    ? "it begins neither with a priority, <0> to <191>, nor with a time"
                    : "what follows the priority and version breaks RFC 5424",
                at: 0
            )
        }
        fields.clear()
        writer.write(message, to: fields.cells, in: batch)
        return nil
    }
}
