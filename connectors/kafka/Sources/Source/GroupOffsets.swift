internal import ConnectorSDK
internal import KafkaClient
internal import Logging

/// Tells a consumer group in the cluster how far the source is, for those who look there.
internal final class GroupOffsets {
    private let name: String
    private let admin: KafkaAdmin
    private let interval: Duration
    private let logger: Logger
    private var pending: [KafkaPartition: Int64] = [:]
    private var committed = ContinuousClock.now
    private var hasFailed = false

    internal init(_ name: String, _ admin: KafkaAdmin, _ interval: Duration, _ logger: Logger) {
        self.name = name
        self.admin = admin
        self.interval = interval
        self.logger = logger
    }

    internal func note(_ positions: [SourcePosition]) {
        for position in positions {
            guard let offset = KafkaOffset.number(position.offset),
                let dash = position.partition.lastIndex(of: "-"),
                let number = Int32(position.partition[position.partition.index(after: dash)...])
            else { continue }
            pending[KafkaPartition(String(position.partition[..<dash]), number)] = offset
        }
    }

    internal func commitIfDue() {
        if .now - committed >= interval { commit() }
    }

    /// Sets the offsets; a failure is no reason to stop, since nothing depends on them.
    internal func commit() {
        guard !pending.isEmpty else { return }
        committed = .now
        do throws(KafkaFailure) {
            try admin.setOffsets(ofGroup: name, to: pending)
            pending.removeAll(keepingCapacity: true)
            hasFailed = false
        } catch {
            if !hasFailed {
                logger.warning(
                    "the offsets of the group cannot be set",
                    metadata: ["group": "\(name)", "reason": "\(error.message)"]
                )
            }
            hasFailed = true
        }
    }
}
