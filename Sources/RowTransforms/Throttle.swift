public import ConnectorSDK
internal import Glibc

/// Lets no more than so many records or bytes pass in a second.
public final class Throttle: PausingTransform {
    public static let name = "Throttle"
    public static let summary = "Lets no more than so many records or bytes pass in a second."
    public static let configuration = ConfigSpec().with(recordsKey).with(bytesKey)

    private static let recordsKey = ConfigKey.int(
        "records.per.second",
        default: 0,
        in: 0...1_000_000_000,
        importance: .high,
        help: "The records that may pass in a second; 0 for any number."
    )
    private static let bytesKey = ConfigKey.size(
        "bytes.per.second",
        default: 0,
        in: 0...(1 << 40),
        importance: .high,
        help: "The bytes of values, as they were read, that may pass in a second; 0 for any number."
    )

    /// How long a stop may go unnoticed.
    private static let step = Duration.milliseconds(20)

    private var pace: ThrottlePace
    public var isStopping: @Sendable () -> Bool = { false }

    public init(configuration: Configuration) throws(ConnectorError) {
        pace = ThrottlePace(
            records: try configuration.get(Self.recordsKey),
            bytes: try configuration.get(Self.bytesKey)
        )
        guard pace.isLimited else {
            throw .invalid("records.per.second", "It or bytes.per.second must be more than 0.")
        }
    }

    /// Fields stay as they are.
    public func trace(_ outline: inout RecordOutline) {}

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        var bytes = 0
        for row in batch.indices { bytes += Int(batch.metadata(row).pointee.rawLength) }
        let end = pace.pass(records: batch.count, bytes: bytes, at: .now)
        // Who stops waits for nothing; what was read is delivered at once.
        while !isStopping(), case let rest = end - .now, rest > .zero {
            usleep(UInt32(min(rest, Self.step) / .microseconds(1)) + 1)
        }
    }
}

/// When what passes is due, if no more than so much may pass in a second.
internal struct ThrottlePace {
    private let records: Int
    private let bytes: Int
    private var due: ContinuousClock.Instant?

    init(records: Int, bytes: Int) {
        self.records = records
        self.bytes = bytes
    }

    var isLimited: Bool { records > 0 || bytes > 0 }

    /// When records that come now may pass: as much later than those before as they are many.
    mutating func pass(
        records count: Int,
        bytes size: Int,
        at now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant {
        var seconds = 0.0
        if records > 0 { seconds = Double(count) / Double(records) }
        if bytes > 0 { seconds = max(seconds, Double(size) / Double(bytes)) }
        // What was not used while nothing came is lost, so that no burst follows a pause.
        let start = max(due ?? now, now)
        let end = start + .seconds(seconds)
        due = end
        return end
    }
}
