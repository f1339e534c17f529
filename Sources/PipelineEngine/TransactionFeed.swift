internal import ConnectorSDK
internal import Topics

/// Reads the partitions of captured tables as one stream: transaction by transaction, each whole,
/// its rows in the order in which they were made.
///
/// The source's transaction topic tells when a transaction is complete in the topics. Before that
/// none of its rows is handed out. Rows without a ``TransactionMark``, such as those of a snapshot,
/// come as soon as nothing older waits in their partition. Rows of a transaction whose end was
/// passed already, read again because somebody reset an offset, come likewise.
///
/// The end of a transaction is passed only when all partitions that could hold its rows are read:
/// a table's topic is made with its first row. Otherwise ``lacksPartitions`` says so, and a feed of
/// all partitions has to go on in this one's place.
///
/// Holds one batch of each partition, however large a transaction is (D7).
final class TransactionFeed {
    /// What ``next(into:)`` found.
    enum Step: Equatable {
        /// Rows of one partition; `next` is the offset to read after them.
        case rows(partition: Int, next: Int64)
        /// All rows of a transaction have been handed out; `next` is the offset behind its end in
        /// the transaction topic.
        case boundary(next: Int64)
        /// Nothing more can be handed out now; `next` as above.
        case nothing(next: Int64)
    }

    /// Where a row stands; rows without a mark come before all others.
    private struct Place: Comparable {
        var sequence: UInt64
        var order: UInt64

        init(_ mark: TransactionMark?) {
            sequence = mark?.sequence ?? 0
            order = mark?.order ?? 0
        }

        static func < (left: Place, right: Place) -> Bool {
            (left.sequence, left.order) < (right.sequence, right.order)
        }
    }

    /// A partition, and what of it was read and not yet handed out.
    private final class Head {
        let reader: any PartitionReader
        let batch = RecordBatch()
        var row = 0
        /// The place of `row`.
        var place = Place(nil)
        /// Whether there was nothing to read when the transaction at hand was complete.
        var isDry = false

        init(_ reader: any PartitionReader) { self.reader = reader }

        var hasRow: Bool { row < batch.count }

        /// The offset after the rows before `row`.
        var next: Int64 { hasRow ? batch.metadata(row).pointee.offset : reader.nextOffset }

        func load(_ topic: String) throws(ConnectorError) {
            guard !hasRow, !isDry else { return }
            batch.reset(topic: topic)
            row = 0
            isDry = try reader.read(into: batch) == 0
            note()
        }

        func advance(to row: Int) {
            self.row = row
            note()
        }

        func placeOfRow(_ row: Int) -> Place {
            Place(TransactionMark(batch.metadata(row).pointee))
        }

        private func note() {
            if hasRow { place = placeOfRow(row) }
        }
    }

    private let topics: [String]
    private let heads: [Head]
    private let ends: Int
    /// The transaction that is complete in the topics and being handed out.
    private var current: UInt64?
    /// The last transaction that was handed out.
    private var passed: UInt64
    /// Whether the partitions are all that there are now.
    private let isWhole: () throws(ConnectorError) -> Bool
    /// Whether there are others by now, without which nothing more can be handed out.
    private(set) var lacksPartitions = false

    /// Makes a feed of partitions; `ends` is the index of the transaction topic's, and `passed` the
    /// last transaction whose end was read before.
    init(
        _ readers: [(topic: String, reader: any PartitionReader)],
        ends: Int,
        passed: UInt64,
        isWhole: @escaping () throws(ConnectorError) -> Bool
    ) {
        topics = readers.map(\.topic)
        heads = readers.map { Head($0.reader) }
        self.ends = ends
        self.passed = passed
        self.isWhole = isWhole
    }

    /// Whether the rows handed out so far are whole transactions.
    var isBetweenTransactions: Bool { current == nil }

    /// Whether rows wait for the end of their transaction, as of the last call.
    var isWaiting: Bool { heads.indices.contains { $0 != ends && heads[$0].hasRow } }

    /// Puts the next rows into `batch`, which must not outlive the call after this one.
    func next(into batch: RecordBatch) throws(ConnectorError) -> Step {
        while true {
            if let step = try nextRows(into: batch) { return step }
            if let current {
                passed = current
                self.current = nil
                return .boundary(next: heads[ends].next)
            }
            for index in heads.indices { heads[index].isDry = false }
            current = try nextEnd()
            // What came before the end was seen may have been read as nothing.
            for index in heads.indices { heads[index].isDry = false }
            if current == nil {
                if let step = try nextRows(into: batch) { return step }
                return .nothing(next: heads[ends].next)
            }
        }
    }

    /// Hands out the oldest rows of all partitions, as many as come before those of the others.
    private func nextRows(into batch: RecordBatch) throws(ConnectorError) -> Step? {
        let limit = current ?? passed
        var first: Int?
        var other: Place?
        for index in heads.indices where index != ends {
            let head = heads[index]
            try head.load(topics[index])
            guard head.hasRow, head.place.sequence <= limit else { continue }
            if let best = first, heads[best].place <= head.place {
                other = min(other ?? head.place, head.place)
            } else {
                if let best = first { other = min(other ?? heads[best].place, heads[best].place) }
                first = index
            }
        }
        guard let first else { return nil }
        let head = heads[first]
        var end = head.row + 1
        while end < head.batch.count {
            let place = head.placeOfRow(end)
            guard place.sequence <= limit, other.map({ place <= $0 }) ?? true else { break }
            end += 1
        }
        batch.copyRows(head.row..<end, of: head.batch)
        head.advance(to: end)
        return .rows(partition: first, next: head.next)
    }

    /// The next transaction that is complete, passing over all other records of its topic.
    private func nextEnd() throws(ConnectorError) -> UInt64? {
        let head = heads[ends]
        while true {
            let isNew = !head.hasRow
            try head.load(topics[ends])
            guard head.hasRow else { return nil }
            // Whatever these ends are of was in the topics before them.
            if isNew { lacksPartitions = try !isWhole() }
            if lacksPartitions { return nil }
            let mark = TransactionMark(head.batch.metadata(head.row).pointee)
            head.advance(to: head.row + 1)
            if let mark, mark.order == nil { return mark.sequence }
        }
    }
}
