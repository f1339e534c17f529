/// A message of the replication stream, around the messages of the output plugin.
public enum StreamMessage {
    /// Data of the output plugin.
    ///
    /// - Parameters:
    ///   - start: where in the log the data begins; of a message between others, its own place.
    ///   - time: when the server sent it, in microseconds since 1970-01-01.
    ///   - payload: one message, for ``PgOutputDecoder``.
    case data(start: LSN, time: Int64, payload: UnsafeRawBufferPointer)
    /// Says how far the server has read its log, everything before it having been sent.
    case keepalive(end: LSN, time: Int64, wantsReply: Bool)

    /// Reads a message of the stream; it points into `bytes`.
    public init(_ bytes: UnsafeRawBufferPointer) throws(ReplicationError) {
        switch bytes.first {
        case UInt8(ascii: "w"):
            var cursor = ByteCursor(bytes, message: "XLogData")
            _ = try cursor.integer(UInt8.self)
            let start = try cursor.lsn()
            _ = try cursor.lsn()
            let time = ReplicationTime.unixMicroseconds(try cursor.integer())
            let payload = try cursor.bytes(cursor.remaining)
            self = .data(start: start, time: time, payload: payload)
        case UInt8(ascii: "k"):
            var cursor = ByteCursor(bytes, message: "keepalive")
            _ = try cursor.integer(UInt8.self)
            let end = try cursor.lsn()
            let time = ReplicationTime.unixMicroseconds(try cursor.integer())
            let wantsReply = try cursor.integer(UInt8.self) != 0
            try cursor.finish()
            self = .keepalive(end: end, time: time, wantsReply: wantsReply)
        case let type?:
            throw ReplicationError("a stream message has the unknown type \(type)")
        case nil:
            throw ReplicationError("a stream message is empty")
        }
    }
}

/// What a client tells the server of its progress.
public struct StandbyStatus: Hashable, Sendable {
    /// Everything before it has arrived.
    public var written: LSN
    /// Everything before it is durable: the server may forget it.
    public var flushed: LSN
    /// Everything before it can be seen by readers.
    public var applied: LSN
    /// Whether the server should answer at once.
    public var wantsReply: Bool

    /// Makes a status.
    public init(written: LSN, flushed: LSN, applied: LSN, wantsReply: Bool = false) {
        self.written = written
        self.flushed = flushed
        self.applied = applied
        self.wantsReply = wantsReply
    }

    /// The message that says so, sent at `now`: microseconds since 1970-01-01.
    public func message(now: Int64) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "r")]
        let time = UInt64(bitPattern: now &- ReplicationTime.epoch)
        for value in [written.rawValue, flushed.rawValue, applied.rawValue, time] {
            withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(wantsReply ? 1 : 0)
        return bytes
    }
}
