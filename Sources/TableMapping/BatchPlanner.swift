public import ConnectorSDK

/// Plans in which order, and in which runs, the rows of batches are written to one table.
///
/// The result is as if each row were written after the one before it: rows change places only
/// where their keys are known to differ and the shape allows it. Keeps its memory from batch to
/// batch; one value serves one table and one pair of schemas.
public final class BatchPlanner {
    /// A column of the key.
    public struct KeyColumn: Sendable {
        /// Where its cells are.
        public var origin: CellOrigin
        /// The types of cells which are the same key in the table exactly if they are the same
        /// bits, or bytes.
        public var comparable: CellTags

        /// Makes a column.
        public init(_ origin: CellOrigin, comparable: CellTags) {
            self.origin = origin
            self.comparable = comparable
        }
    }

    /// What a row that shares its key with a later one comes to.
    public enum Duplicates: Sendable {
        /// Each row is written.
        case keep
        /// A row is left out when later ones of the batch say all that it says, and no run has
        /// a key twice. For upserts and updates, in tables where nothing sees a passing state.
        case supersede
    }

    /// Rows that one statement takes: they are all deletions, or all have the same fields.
    public struct Run: Hashable, Sendable {
        /// The place of the first in ``BatchPlanner/order``, or the row if that is empty.
        public var first: Int
        /// How many there are.
        public var count: Int
        /// Which of ``BatchPlanner/absentSets``; 0 for deletions.
        public var set: Int
        /// Whether the rows are tombstones.
        public var isDelete: Bool
    }

    /// More sets than this are forgotten with the next batch. (D7)
    private static let setLimit = 256
    internal static let deletion: Int32 = -1

    private let key: [KeyColumn]
    private let optional: [Int]
    private let mayReorder: Bool
    private let duplicates: Duplicates

    /// The rows in the order to be written; empty for the order they have.
    public private(set) var order: [UInt32] = []
    /// What is to be written, in this order.
    public private(set) var runs: [Run] = []
    /// Whether no run has a key twice; false where it is not known.
    public private(set) var hasDistinctKeys = false
    /// For each set of absent fields seen, the columns of the value that are absent; the first
    /// is empty.
    public private(set) var absentSets: [[Int]] = [[]]
    /// Changes when ``absentSets`` was emptied, so that what is kept for a set is to be forgotten.
    public private(set) var generation = 0

    /// What each row is: a set of absent fields, or a deletion; unused where all rows are alike.
    private var kinds: [Int32] = []
    private var words: [UInt64] = []
    private var setsByMask: [[UInt64]: Int32] = [:]
    private var keyOrder = KeyOrder()
    private var reduction = KeyReduction()
    private var gathered: [UInt32] = []

    /// Makes a planner.
    ///
    /// - Parameters:
    ///   - key: the columns of the key; empty for none.
    ///   - optional: the columns of the value for which absent is not the same as null.
    ///   - mayReorder: whether nothing in the table tells in which order rows of different keys
    ///     are written, such as a trigger or another unique index.
    ///   - duplicates: what becomes of rows that share a key.
    public init(
        key: [KeyColumn],
        optional: [Int],
        mayReorder: Bool,
        duplicates: Duplicates = .keep
    ) {
        self.key = key
        self.optional = optional
        self.mayReorder = mayReorder
        self.duplicates = duplicates
    }

    /// Plans a batch; the plan holds until the next.
    public func plan(_ batch: RecordBatch) {
        order.removeAll(keepingCapacity: true)
        runs.removeAll(keepingCapacity: true)
        hasDistinctKeys = false
        if absentSets.count > Self.setLimit { forgetSets() }
        guard batch.count > 0 else { return }
        let isUniform = !classify(batch)
        let finding = mayReorder ? keyOrder.examine(batch, key) : .unknown
        if finding == .unknown {
            isUniform ? appendAll(batch.count) : appendRuns(batch.count)
        } else if duplicates == .supersede {
            planReduced(batch.count, isUniform, finding)
        } else if isUniform {
            if finding == .unordered { keyOrder.sort(batch.count, into: &order) }
            appendAll(batch.count)
        } else {
            keyOrder.sort(batch.count, into: &order)
            if equalKeysAgree() { gather() }
            appendRuns(batch.count)
        }
    }

    private func planReduced(_ count: Int, _ isUniform: Bool, _ finding: KeyOrder.Finding) {
        hasDistinctKeys = true
        if isUniform, finding == .ascending, areDistinct(count) {
            appendAll(count)
            return
        }
        keyOrder.sort(count, into: &order)
        if isUniform {
            kinds.removeAll(keepingCapacity: true)
            kinds.append(contentsOf: repeatElement(0, count: count))
        }
        reduction.reduce(&order, kinds, absentSets, keyOrder, into: &runs)
    }

    private func areDistinct(_ count: Int) -> Bool {
        for row in 1..<UInt32(max(count, 1)) where keyOrder.isSameKey(row - 1, row) { return false }
        return true
    }

    private func forgetSets() {
        absentSets = [[]]
        setsByMask.removeAll()
        generation &+= 1
    }
}

// MARK: - What rows are

extension BatchPlanner {
    /// Finds which fields each row lacks and which rows are tombstones.
    ///
    /// - Returns: whether any row differs from "all fields and no tombstone".
    private func classify(_ batch: RecordBatch) -> Bool {
        guard hasDifferences(batch) else { return false }
        kinds.removeAll(keepingCapacity: true)
        words = Array(repeating: 0, count: (optional.count + 63) / 64)
        var last = words
        var lastSet: Int32 = 0
        setsByMask[words] = 0
        for row in batch.indices {
            if batch[metadata: row].isTombstone {
                kinds.append(Self.deletion)
                continue
            }
            let values = batch.row(row)
            for word in words.indices { words[word] = 0 }
            for (bit, cell) in optional.enumerated() where values[cell].tag == .missing {
                words[bit >> 6] |= 1 << UInt64(bit & 63)
            }
            if words != last {
                for word in words.indices { last[word] = words[word] }
                lastSet = set(of: last)
            }
            kinds.append(lastSet)
        }
        return true
    }

    private func set(of mask: [UInt64]) -> Int32 {
        if let known = setsByMask[mask] { return known }
        let absent = optional.indices.filter { mask[$0 >> 6] & (1 << UInt64($0 & 63)) != 0 }
        let number = Int32(truncatingIfNeeded: absentSets.count)
        absentSets.append(absent.map { optional[$0] })
        setsByMask[Array(mask)] = number
        return number
    }

    private func hasDifferences(_ batch: RecordBatch) -> Bool {
        for row in batch.indices {
            if batch.metadata(row).pointee.isTombstone { return true }
            let values = batch.row(row)
            for cell in optional where values[cell].tag == .missing { return true }
        }
        return false
    }
}

// MARK: - Runs

extension BatchPlanner {
    private func appendAll(_ count: Int) {
        runs.append(Run(first: 0, count: count, set: 0, isDelete: false))
    }

    /// Whether rows that share a key are of one kind, so that kinds may be written apart.
    private func equalKeysAgree() -> Bool {
        for place in 1..<max(order.count, 1) {
            let left = order[place - 1], right = order[place]
            if kinds[Int(left)] != kinds[Int(right)], keyOrder.isSameKey(left, right) {
                return false
            }
        }
        return true
    }

    /// Brings rows of one kind together, in the order they have among themselves.
    private func gather() {
        var counts: [Int32: Int] = [:]
        for row in order { counts[kinds[Int(row)], default: 0] += 1 }
        var starts: [Int32: Int] = [:]
        var next = 0
        for (kind, count) in counts.sorted(by: { $0.key < $1.key }) {
            starts[kind] = next
            next += count
        }
        gathered.removeAll(keepingCapacity: true)
        gathered.append(contentsOf: order)
        for row in order {
            let kind = kinds[Int(row)]
            gathered[starts[kind, default: 0]] = row
            starts[kind, default: 0] += 1
        }
        swap(&order, &gathered)
    }

    private func appendRuns(_ count: Int) {
        var first = 0
        var kind: Int32 = 0
        for place in 0..<count {
            let next = kinds[order.isEmpty ? place : Int(order[place])]
            if place > first, next != kind {
                runs.append(Run(first..<place, kind))
                first = place
            }
            kind = next
        }
        if count > first { runs.append(Run(first..<count, kind)) }
    }
}

extension BatchPlanner.Run {
    internal init(_ range: Range<Int>, _ kind: Int32) {
        self.init(
            first: range.lowerBound,
            count: range.count,
            set: Int(max(kind, 0)),
            isDelete: kind == BatchPlanner.deletion
        )
    }
}
