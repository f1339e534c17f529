internal import CBytes
internal import Compression

/// The first 61 bytes of a Kafka RecordBatch, magic 2.
@frozen
public struct RecordBatchHeader: Hashable, Sendable {
    /// Bytes of the header.
    public static let length = 61
    /// Bytes in front of those that the length field counts.
    public static let prefixLength = 12

    /// What `attributes` tells.
    @frozen
    public struct Attributes: OptionSet, Hashable, Sendable {
        /// The bits.
        public let rawValue: UInt16
        /// Makes attributes from their bits.
        public init(rawValue: UInt16) { self.rawValue = rawValue }
        /// All records have the batch's largest timestamp, the time of the append.
        public static let logAppendTime = Self(rawValue: 1 << 3)
        /// The batch is part of a transaction.
        public static let transactional = Self(rawValue: 1 << 4)
        /// The batch holds a transaction marker instead of records.
        public static let control = Self(rawValue: 1 << 5)
        /// The base timestamp is the time after which tombstones may go.
        public static let deleteHorizon = Self(rawValue: 1 << 6)
        /// The number of the codec, in the lowest three bits.
        public var codec: UInt16 { rawValue & 0x7 }
    }

    /// The offset of the first record.
    public var baseOffset: Int64
    /// Bytes of the whole batch, header included.
    public var totalLength: Int
    /// The epoch of the partition's leader.
    public var leaderEpoch: Int32
    /// The CRC-32C of everything from the attributes on.
    public var crc: UInt32
    /// Codec and flags.
    public var attributes: Attributes
    /// The last record's offset, counted from the base offset; compaction leaves it as it is.
    public var lastOffsetDelta: Int32
    /// What the records' timestamps are counted from.
    public var baseTimestamp: Int64
    /// The largest timestamp.
    public var maxTimestamp: Int64
    /// The producer's id, or -1.
    public var producerID: Int64
    /// The producer's epoch, or -1.
    public var producerEpoch: Int16
    /// The sequence number of the first record, or -1.
    public var baseSequence: Int32
    /// The number of records.
    public var recordCount: Int32

    /// The offset of the last record.
    public var lastOffset: Int64 { baseOffset &+ Int64(lastOffsetDelta) }

    /// The offset that follows the batch.
    public var nextOffset: Int64 { lastOffset &+ 1 }

    /// Whether the batch is a transaction marker and holds no records of a user.
    public var isControl: Bool { attributes.contains(.control) }

    /// Reads the header at the start of `bytes`.
    ///
    /// - Returns: `nil` when it is not one: too few bytes, another magic, or numbers that cannot
    ///   be. Whether the whole batch is there is for the caller to compare, and whether its
    ///   content is intact for ``isIntact(_:)``.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.length, bytes[16] == 2 else { return nil }
        func field<T: FixedWidthInteger>(_ offset: Int, as type: T.Type) -> T {
            T(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        }
        baseOffset = field(0, as: Int64.self)
        totalLength = Int(field(8, as: Int32.self)) + Self.prefixLength
        leaderEpoch = field(12, as: Int32.self)
        crc = field(17, as: UInt32.self)
        attributes = Attributes(rawValue: field(21, as: UInt16.self))
        lastOffsetDelta = field(23, as: Int32.self)
        baseTimestamp = field(27, as: Int64.self)
        maxTimestamp = field(35, as: Int64.self)
        producerID = field(43, as: Int64.self)
        producerEpoch = field(51, as: Int16.self)
        baseSequence = field(53, as: Int32.self)
        recordCount = field(57, as: Int32.self)
        guard totalLength >= Self.length, lastOffsetDelta >= 0, recordCount >= 0,
            baseOffset >= 0, baseOffset <= .max - Int64(Int32.max) - 1
        else { return nil }
    }

    /// The length of the batch that starts with `bytes`, or `nil` when fewer than 12 bytes are
    /// there or the length cannot be.
    public static func totalLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard bytes.count >= prefixLength else { return nil }
        let rest = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self))
        guard Int(rest) >= length - prefixLength else { return nil }
        return Int(rest) + prefixLength
    }

    /// Whether the CRC of a batch, whose bytes begin with this header, is right.
    public func isIntact(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= totalLength, let base = bytes.baseAddress else { return false }
        return mr_crc32c(0, base + 21, totalLength - 21) == crc
    }

    /// Gives the batch at `bytes`, at least a header, its place in a partition.
    ///
    /// The CRC does not cover these fields.
    public static func assign(
        baseOffset: Int64,
        leaderEpoch: Int32 = 0,
        in bytes: UnsafeMutableRawPointer
    ) {
        bytes.storeBytes(of: baseOffset.bigEndian, as: Int64.self)
        bytes.storeBytes(of: leaderEpoch.bigEndian, toByteOffset: 12, as: Int32.self)
    }

    /// Writes all fields but the CRC to `bytes`.
    internal func write(to bytes: UnsafeMutableRawPointer) {
        func put(_ value: some FixedWidthInteger, _ offset: Int) {
            bytes.storeBytes(of: value.bigEndian, toByteOffset: offset, as: type(of: value))
        }
        put(baseOffset, 0)
        put(Int32(truncatingIfNeeded: totalLength - Self.prefixLength), 8)
        put(leaderEpoch, 12)
        put(UInt8(2), 16)
        put(attributes.rawValue, 21)
        put(lastOffsetDelta, 23)
        put(baseTimestamp, 27)
        put(maxTimestamp, 35)
        put(producerID, 43)
        put(producerEpoch, 51)
        put(baseSequence, 53)
        put(recordCount, 57)
    }

    /// Computes the CRC of a batch that is otherwise complete, and writes it.
    internal static func seal(_ bytes: UnsafeMutableRawPointer, totalLength: Int) {
        let crc = mr_crc32c(0, bytes + 21, totalLength - 21)
        bytes.storeBytes(of: crc.bigEndian, toByteOffset: 17, as: UInt32.self)
    }

    /// The codec of the records, or `nil` when its number stands for none that is known.
    internal var codec: CompressionKind? {
        switch attributes.codec {
        case 0: CompressionKind.none
        case 1: .gzip
        case 2: .snappy
        case 3: .lz4
        case 4: .zstd
        default: nil
        }
    }
}

extension RecordBatchHeader {
    /// The header of a batch made here: of no producer and of epoch 0.
    internal init(
        attributes: Attributes,
        totalLength: Int,
        baseTimestamp: Int64,
        maxTimestamp: Int64,
        recordCount: Int
    ) {
        baseOffset = 0
        self.totalLength = totalLength
        leaderEpoch = 0
        crc = 0
        self.attributes = attributes
        lastOffsetDelta = Int32(truncatingIfNeeded: recordCount - 1)
        self.baseTimestamp = baseTimestamp
        self.maxTimestamp = maxTimestamp
        producerID = -1
        producerEpoch = -1
        baseSequence = -1
        self.recordCount = Int32(truncatingIfNeeded: recordCount)
    }
}
