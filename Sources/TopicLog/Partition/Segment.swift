internal import ConnectorSDK
internal import Synchronization

/// One segment of a partition as readers share it: `<base offset>.{log,index,timeindex}`.
internal final class Segment: Sendable {
    /// The offset that the segment begins with.
    internal let baseOffset: Int64
    /// The path without an ending.
    internal let stem: String
    private let publishedSize: Atomic<Int64>
    private let publishedTimestamp: Atomic<Int64>

    internal init(
        directory: String,
        baseOffset: Int64,
        size: Int64 = 0,
        largestTimestamp: Int64 = RecordMetadata.noTimestamp
    ) {
        self.baseOffset = baseOffset
        stem = directory + "/" + SegmentName.stem(baseOffset)
        publishedSize = Atomic(size)
        publishedTimestamp = Atomic(largestTimestamp)
    }

    internal var logPath: String { stem + ".log" }
    internal var indexPath: String { stem + ".index" }
    internal var timeIndexPath: String { stem + ".timeindex" }

    /// Bytes that are committed; what lies behind them does not exist for readers. (D4)
    internal var size: Int64 { publishedSize.load(ordering: .acquiring) }

    /// The largest timestamp of the committed records, or
    /// ``ConnectorSDK/RecordMetadata/noTimestamp``.
    internal var largestTimestamp: Int64 { publishedTimestamp.load(ordering: .relaxed) }

    /// Lets readers see more of the segment.
    internal func publish(size: Int64, largestTimestamp: Int64) {
        publishedTimestamp.store(largestTimestamp, ordering: .relaxed)
        publishedSize.store(size, ordering: .releasing)
    }
}

/// How segment files are called.
internal enum SegmentName {
    /// The base offset as 20 digits.
    internal static func stem(_ baseOffset: Int64) -> String {
        let digits = String(baseOffset)
        return String(repeating: "0", count: max(0, 20 - digits.count)) + digits
    }

    /// The base offset of `<20 digits>.<ending>`, or `nil` when the name is another.
    internal static func baseOffset(_ name: String, ending: String) -> Int64? {
        guard name.hasSuffix(ending) else { return nil }
        let digits = name.dropLast(ending.count)
        guard digits.count == 20, digits.allSatisfy({ ("0"..."9").contains($0) }) else {
            return nil
        }
        return Int64(digits)
    }

    /// The endings of a segment's three files.
    internal static let endings = [".log", ".index", ".timeindex"]
}
