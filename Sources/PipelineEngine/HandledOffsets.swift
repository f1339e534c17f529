internal import ConnectorSDK

/// Which dead letters of a partition were replayed or discarded.
///
/// Those below an offset, and single ones above it: dead letters are seen to in any order. The
/// offset is kept as a consumer group's, the others as a position.
struct HandledOffsets: Equatable {
    /// Under which connector's name the positions are kept; no connector can have it.
    static let positionName = "millrace/dlq"

    /// Every offset below this is handled.
    private(set) var next: Int64
    /// What is handled above it: ranges that ascend and do not touch.
    private(set) var ranges: [Range<Int64>] = []

    init(next: Int64 = 0) { self.next = next }

    /// Reads what is stored.
    ///
    /// - Parameters:
    ///   - next: the group's offset; `nil` when it has none, as when the topic was made anew.
    ///   - text: the position's text. It belongs to another life of the topic, and is not looked
    ///     at, when it does not say the same offset.
    init(next: Int64?, text: String?) {
        self.next = next ?? 0
        let numbers = (text ?? "").split { !"-0123456789".contains($0) }.compactMap { Int64($0) }
        guard let next, numbers.first == next, numbers.count % 2 == 1 else { return }
        for index in stride(from: 1, to: numbers.count, by: 2) {
            let from = numbers[index], to = numbers[index + 1]
            guard from > (ranges.last?.upperBound ?? next), from < to else {
                ranges = []
                return
            }
            ranges.append(from..<to)
        }
    }

    /// The position's text.
    var text: String {
        let pairs = ranges.map { "[\($0.lowerBound),\($0.upperBound)]" }
        return "{\"next\":\(next),\"handled\":[\(pairs.joined(separator: ","))]}"
    }

    /// Whether a dead letter was handled.
    func contains(_ offset: Int64) -> Bool {
        offset < next || ranges.contains { $0.contains(offset) }
    }

    /// How many of the offsets in a range were not handled.
    func remaining(in range: Range<Int64>) -> Int64 {
        let above = max(range.lowerBound, next)..<max(range.upperBound, next, range.lowerBound)
        return ranges.reduce(Int64(above.count)) { $0 - Int64($1.clamped(to: above).count) }
    }

    /// Notes that a dead letter was handled.
    mutating func insert(_ offset: Int64) {
        guard !contains(offset) else { return }
        let index = ranges.firstIndex { $0.lowerBound > offset } ?? ranges.count
        var range = offset..<offset + 1
        if index < ranges.count, ranges[index].lowerBound == range.upperBound {
            range = range.lowerBound..<ranges.remove(at: index).upperBound
        }
        if index > 0, ranges[index - 1].upperBound == range.lowerBound {
            ranges[index - 1] = ranges[index - 1].lowerBound..<range.upperBound
        } else {
            ranges.insert(range, at: index)
        }
        advance()
    }

    private mutating func advance() {
        guard let first = ranges.first, first.lowerBound <= next else { return }
        next = first.upperBound
        ranges.removeFirst()
    }
}
