internal import ChangeCapture
internal import ConnectorSDK
internal import LogicalReplication
internal import Logging
internal import PostgresClient

// Tables without a key.
extension SnapshotBeside {
    internal func readWhole(
        _ job: Job,
        _ connection: PostgresConnection,
        _ view: TransactionView,
        _ end: LSN
    ) async throws(ConnectorError) {
        let name = job.table.fullName
        let relation = try environment.tables.relation(for: job.table)
        if !stream.isEmpty { try await environment.send(applier.position) }
        let reader = TableRead(relation, of: job.table, on: connection)
        try reader.begin(nil, filter: progress[name]?.filter)
        environment.beginRows(at: end)
        var state = progress[name] ?? TableProgress(.waiting)
        while try reader.next() {
            reader.append(to: stream, at: end.rawValue)
            guard stream.isFull else { continue }
            try await stream.send(position: SnapshotPositions.position(name, state))
            if outlet.isStopping { return try reader.abandon() }
        }
        state.state = .done
        state.isNew = false
        state.exclusion = view
        state.exclusionEnd = end
        progress[name] = state
        jobs.removeAll { $0 === job }
        // D3: with the last rows it becomes durable which changes they have in them.
        try await stream.send(position: SnapshotPositions.position(name, state))
        environment.logger.info("a table was read", metadata: ["table": "\(name)"])
    }

    func isHidden(_ relation: CapturedRelation, _ transaction: UInt32) -> Bool {
        guard relation.identity.isEmpty, let state = progress[relation.name] else {
            return false
        }
        if state.state != .done { return jobs.contains { $0.table.id == relation.id } }
        guard let exclusion = state.exclusion, let end = state.exclusionEnd,
            applier.position.lsn < end
        else { return false }
        return exclusion.sees(transaction)
    }
}
