internal import CSQLiteShim
internal import ConnectorSDK

/// The order in which a batch's rows are written, in runs that one statement takes.
internal struct RunPlan {
    /// Rows that lie together and have the same fields.
    internal struct Run: Equatable {
        /// The first row, or its place in ``RunPlan/order``.
        internal var first: Int
        internal var count: Int
        /// Which of ``WritePlan/sets``.
        internal var set: Int
        internal var isDelete: Bool
    }

    /// The rows in the order to be written; empty for the order they have.
    internal fileprivate(set) var order: [UInt32] = []
    internal fileprivate(set) var runs: [Run] = []
}

/// Plans runs, and keeps its memory from batch to batch.
internal struct RunPlanner {
    /// More kinds of rows than this in one plan are forgotten with the next batch.
    private static let setLimit = 256

    private var groups: [Int32] = []
    private var words: [UInt64] = []
    private var keyOrder = KeyOrder()
    private var plan = RunPlan()
    private var setsByMask: [[UInt64]: Int32] = [:]
    private weak var planned: WritePlan?

    private static let deletion: Int32 = -1

    /// Decides how the rows of a batch are written.
    ///
    /// The result is as if each row were written after the one before it: rows change places only
    /// where their keys are known to differ and nothing else in the table can tell.
    internal mutating func plan(_ batch: RecordBatch, _ write: WritePlan) -> RunPlan {
        plan.order.removeAll(keepingCapacity: true)
        plan.runs.removeAll(keepingCapacity: true)
        if planned !== write || write.sets.count > Self.setLimit {
            write.forgetSets()
            setsByMask.removeAll()
            planned = write
        }
        let isUniform = !classify(batch, write)
        let key = keyOrder.examine(batch, write)
        if isUniform {
            if key == .unordered { plan.order = keyOrder.sorted(batch.count) }
            plan.runs.append(.init(first: 0, count: batch.count, set: 0, isDelete: false))
        } else if key == .unknown {
            appendRuns(batch.count)
        } else {
            plan.order = keyOrder.sorted(batch.count)
            if keyOrder.equalKeysAgree(plan.order, groups) { gather() }
            appendRuns(batch.count)
        }
        return plan
    }

    /// Finds which fields each row lacks and which rows are tombstones.
    ///
    /// - Returns: whether any row differs from "all fields and no tombstone".
    private mutating func classify(_ batch: RecordBatch, _ write: WritePlan) -> Bool {
        let cells = write.optional.compactMap(\.valueCell)
        guard Self.hasDifferences(batch, cells) else { return false }
        groups.removeAll(keepingCapacity: true)
        words = Array(repeating: 0, count: (cells.count + 63) / 64)
        var last: [UInt64] = words
        var lastSet: Int32 = 0
        setsByMask[words] = 0
        for row in batch.indices {
            if batch[metadata: row].isTombstone {
                groups.append(Self.deletion)
                continue
            }
            let values = batch.row(row)
            for word in words.indices { words[word] = 0 }
            for (bit, cell) in cells.enumerated() where values[cell].tag == .missing {
                words[bit >> 6] |= 1 << UInt64(bit & 63)
            }
            if words != last {
                for word in words.indices { last[word] = words[word] }
                lastSet = set(of: last, write)
            }
            groups.append(lastSet)
        }
        return true
    }

    private mutating func set(of mask: [UInt64], _ write: WritePlan) -> Int32 {
        if let known = setsByMask[mask] { return known }
        let number = write.addSet { mask[$0 >> 6] & (1 << UInt64($0 & 63)) != 0 }
        setsByMask[Array(mask)] = Int32(truncatingIfNeeded: number)
        return Int32(truncatingIfNeeded: number)
    }

    private static func hasDifferences(_ batch: RecordBatch, _ cells: [Int]) -> Bool {
        for row in batch.indices {
            if batch.metadata(row).pointee.isTombstone { return true }
            let values = batch.row(row)
            for cell in cells where values[cell].tag == .missing { return true }
        }
        return false
    }

    /// Brings rows of one kind together, in the order they have among themselves.
    private mutating func gather() {
        var kinds: [Int32: Int] = [:]
        for row in plan.order { kinds[groups[Int(row)], default: 0] += 1 }
        var starts: [Int32: Int] = [:]
        var next = 0
        for (kind, count) in kinds.sorted(by: { $0.key < $1.key }) {
            starts[kind] = next
            next += count
        }
        var gathered = plan.order
        for row in plan.order {
            let kind = groups[Int(row)]
            gathered[starts[kind, default: 0]] = row
            starts[kind, default: 0] += 1
        }
        plan.order = gathered
    }

    private mutating func appendRuns(_ count: Int) {
        var first = 0
        var kind: Int32 = 0
        for place in 0..<count {
            let next = groups[plan.order.isEmpty ? place : Int(plan.order[place])]
            if place > first, next != kind {
                append(first..<place, kind)
                first = place
            }
            kind = next
        }
        if count > first { append(first..<count, kind) }
    }

    private mutating func append(_ range: Range<Int>, _ kind: Int32) {
        plan.runs.append(
            .init(
                first: range.lowerBound,
                count: range.count,
                set: Int(max(kind, 0)),
                isDelete: kind == Self.deletion
            )
        )
    }
}
