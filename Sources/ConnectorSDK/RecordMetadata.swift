/// What a record has beside its key and value: 72 bytes, trivially copied.
@frozen
public struct RecordMetadata: BitwiseCopyable, Sendable {
    /// Stands for "no timestamp": the topic then stamps the record when it is appended.
    public static var noTimestamp: Int64 { @inlinable get { .min } }

    /// Milliseconds since the epoch, or ``noTimestamp``.
    public var timestamp: Int64
    /// From a topic: the record's offset.
    ///
    /// From a source: its byte offset, or -1.
    public var offset: Int64
    /// From a source: its line or row number, counted from 1, or 0.
    public var line: Int64
    /// The address of the value's bytes as they arrived, or 0.
    public var rawAddress: UInt64
    /// The address of the headers in Kafka's record encoding, or 0.
    public var headersAddress: UInt64
    /// The byte count of the value as it arrived.
    public var rawLength: UInt32
    /// The byte count of the headers.
    public var headersLength: UInt32
    /// The number of headers.
    public var headerCount: UInt32
    /// The partition a source asks for, or the one a record came from; -1 for none.
    public var partition: Int32
    /// Whether the record is a tombstone: a key whose value is null.
    public var isTombstone: Bool
    /// The record's row in the batch as it was sent or read; the engine numbers the rows, so that
    /// a record is known again after others were taken out.
    public var sequence: UInt32

    /// Makes the metadata of a record about which nothing is known.
    @inlinable @inline(__always)
    public init() {
        timestamp = Self.noTimestamp
        offset = -1
        line = 0
        rawAddress = 0
        headersAddress = 0
        rawLength = 0
        headersLength = 0
        headerCount = 0
        partition = -1
        isTombstone = false
        sequence = 0
    }

    /// The value's bytes as they arrived; empty when unknown.
    @inlinable @inline(__always)
    public var raw: UnsafeRawBufferPointer {
        get {
            UnsafeRawBufferPointer(
                start: UnsafeRawPointer(bitPattern: UInt(rawAddress)),
                count: Int(rawLength)
            )
        }
        set {
            rawAddress = UInt64(UInt(bitPattern: newValue.baseAddress))
            rawLength = UInt32(truncatingIfNeeded: newValue.count)
        }
    }

    /// The headers: `headerCount` times {zig-zag varint length, key, varint length or -1, value}.
    @inlinable @inline(__always)
    public var headers: UnsafeRawBufferPointer {
        get {
            UnsafeRawBufferPointer(
                start: UnsafeRawPointer(bitPattern: UInt(headersAddress)),
                count: Int(headersLength)
            )
        }
        set {
            headersAddress = UInt64(UInt(bitPattern: newValue.baseAddress))
            headersLength = UInt32(truncatingIfNeeded: newValue.count)
        }
    }
}
