internal import ConnectorSDK
internal import KafkaClient
internal import Synchronization
internal import Topics

/// Which signals are raised when records of a partition arrive.
internal final class ArrivalSignals: Sendable {
    private let signals = Mutex<[KafkaPartition: [AppendSignal]]>([:])

    internal func add(_ signal: AppendSignal, for partitions: [KafkaPartition]) {
        signals.withLock { signals in
            for partition in partitions { signals[partition, default: []].append(signal) }
        }
        // What arrived before is not missed.
        signal.raise()
    }

    internal func remove(_ signal: AppendSignal) {
        signals.withLock { signals in
            signals = signals.mapValues { $0.filter { $0 !== signal } }.filter { !$0.value.isEmpty }
        }
    }

    internal func raise(_ partition: KafkaPartition) {
        for signal in signals.withLock({ $0[partition] }) ?? [] { signal.raise() }
    }
}
