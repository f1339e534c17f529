internal import ConnectorSDK
internal import SQLiteClient
internal import Topics

/// The one connection that writes to `state.db`; the committer's thread owns it.
internal final class StateWriter {
    /// How much a commit waits for.
    internal enum Synchronization: String {
        /// Until the commit is on the disk.
        case full = "FULL"
        /// Until the operating system has it.
        case normal = "NORMAL"
    }

    internal let state: StateDatabase
    /// Whether a commit has failed, and no later transaction has succeeded yet.
    internal private(set) var isOutcomeUnknown = false
    private var synchronization = Synchronization.full
    private let begin: SQLiteStatement
    private let commit: SQLiteStatement
    private let rollback: SQLiteStatement
    private let countCommit: SQLiteStatement
    private let updatePartition: SQLiteStatement
    private let setPosition: SQLiteStatement
    private let removePosition: SQLiteStatement
    private let setGroupOffset: SQLiteStatement
    private let removeGroupOffset: SQLiteStatement
    private let setState: SQLiteStatement
    private let removeState: SQLiteStatement
    private var texts = BoundTexts()

    internal init(_ state: StateDatabase) throws(ConnectorError) {
        self.state = state
        do throws(SQLiteFailure) {
            begin = try state.database.prepare("BEGIN IMMEDIATE")
            commit = try state.database.prepare("COMMIT")
            rollback = try state.database.prepare("ROLLBACK")
            countCommit = try state.database.prepare("UPDATE commits SET number = number + 1")
            updatePartition = try state.database.prepare(
                """
                UPDATE partitions SET start_offset = ?, end_offset = ?, segment_base = ?,
                    segment_end = ?, cleaned_offset = ? WHERE topic = ? AND partition = ?
                """
            )
            setPosition = try state.database.prepare(
                """
                INSERT INTO source_positions VALUES(?, ?, ?)
                ON CONFLICT DO UPDATE SET position = excluded.position
                """
            )
            removePosition = try state.database.prepare(
                "DELETE FROM source_positions WHERE connector = ? AND part = ?"
            )
            setGroupOffset = try state.database.prepare(
                """
                INSERT INTO group_offsets VALUES(?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset
                """
            )
            removeGroupOffset = try state.database.prepare(
                "DELETE FROM group_offsets WHERE group_name = ? AND topic = ? AND partition = ?"
            )
            setState = try state.database.prepare(
                """
                INSERT INTO transform_states VALUES(?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET value = excluded.value
                """
            )
            removeState = try state.database.prepare(
                """
                DELETE FROM transform_states
                WHERE connector = ? AND transform = ? AND part = ? AND key = ?
                """
            )
        } catch {
            throw error.asConnectorError(state.path)
        }
    }

    /// Runs `body` in one transaction: all of it is true afterwards, or nothing.
    ///
    /// After an error of the commit itself the outcome on the disk is unknown until the next
    /// transaction has succeeded: that one overwrites whatever the failed one left behind, because
    /// every transaction writes at least one page.
    internal func transaction<Result>(
        _ synchronization: Synchronization = .full,
        _ body: () throws(SQLiteFailure) -> Result
    ) throws(SQLiteFailure) -> Result {
        if synchronization != self.synchronization {
            try state.database.execute("PRAGMA synchronous = \(synchronization.rawValue)")
            self.synchronization = synchronization
        }
        try begin.run()
        do throws(SQLiteFailure) {
            try countCommit.run()
            let result = try body()
            isOutcomeUnknown = true
            try commit.run()
            isOutcomeUnknown = false
            return result
        } catch {
            if state.database.isInTransaction { try? rollback.run() }
            throw error
        }
    }

    /// Sets what is true of a partition.
    internal func update(
        _ row: PartitionRow,
        topic: Int64,
        partition: Int32
    ) throws(SQLiteFailure) {
        try updatePartition.bind(1, row.startOffset)
        try updatePartition.bind(2, row.endOffset)
        try updatePartition.bind(3, row.segmentBase)
        try updatePartition.bind(4, row.segmentEnd)
        try updatePartition.bind(5, row.cleanedOffset)
        try updatePartition.bind(6, topic)
        try updatePartition.bind(7, Int64(partition))
        try updatePartition.run()
    }

    /// Sets a source's position.
    internal func set(
        _ position: SourcePosition,
        of connector: String
    ) throws(SQLiteFailure) {
        texts.set(connector, position.partition, position.offset)
        try setPosition.bindText(1, texts.first)
        try setPosition.bindText(2, texts.second)
        try setPosition.bindText(3, texts.third)
        try setPosition.run()
    }

    /// Sets the offset at which a group goes on in a partition.
    internal func set(
        _ offset: Int64,
        of partition: TopicPartition,
        in group: String
    ) throws(SQLiteFailure) {
        texts.set(group, partition.topic)
        try setGroupOffset.bindText(1, texts.first)
        try setGroupOffset.bindText(2, texts.second)
        try setGroupOffset.bind(3, Int64(partition.partition))
        try setGroupOffset.bind(4, offset)
        try setGroupOffset.run()
    }

    /// Applies changes of what a transform remembers.
    internal func apply(
        _ changes: StateChanges,
        of connector: String,
        _ transform: String
    ) throws(SQLiteFailure) {
        texts.set(connector, transform)
        for statement in [setState, removeState] {
            try statement.bindText(1, texts.first)
            try statement.bindText(2, texts.second)
        }
        try changes.forEach { (part, key, value) throws(SQLiteFailure) in
            let statement = value == nil ? removeState : setState
            try statement.bind(3, Int64(part))
            try statement.bindBlob(4, key)
            if let value { try statement.bindBlob(5, value) }
            try statement.run()
        }
    }

    /// Applies a position or a group offset.
    internal func apply(_ change: StateChange) throws(SQLiteFailure) {
        switch change {
        case .position(let connector, let part, let offset?):
            try set(SourcePosition(partition: part, offset: offset), of: connector)
        case .position(let connector, let part, nil):
            try removePosition.bind(1, connector)
            try removePosition.bind(2, part)
            try removePosition.run()
        case .groupOffset(let group, let partition, let offset?):
            try set(offset, of: partition, in: group)
        case .groupOffset(let group, let partition, nil):
            try removeGroupOffset.bind(1, group)
            try removeGroupOffset.bind(2, partition.topic)
            try removeGroupOffset.bind(3, Int64(partition.partition))
            try removeGroupOffset.run()
        }
    }
}

/// Texts that a statement is bound to without SQLite making copies of its own for each commit.
private struct BoundTexts {
    private let buffer = OutputBuffer(capacity: 1 << 10)
    private var ends = (0, 0)

    /// Replaces the texts; what pointed to the ones before is to be bound anew.
    mutating func set(_ first: String, _ second: String, _ third: String = "") {
        buffer.count = 0
        buffer.append(first)
        ends.0 = buffer.count
        buffer.append(second)
        ends.1 = buffer.count
        buffer.append(third)
    }

    var first: UnsafeRawBufferPointer { slice(0, ends.0) }
    var second: UnsafeRawBufferPointer { slice(ends.0, ends.1) }
    var third: UnsafeRawBufferPointer { slice(ends.1, buffer.count) }

    private func slice(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: buffer.bytes[start..<end])
    }
}
