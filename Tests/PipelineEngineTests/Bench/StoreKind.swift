import KafkaTopics
import Logging
import TestServices
import TopicLog
import Topics

/// The stores that the engine cannot tell apart.
enum StoreKind: String, CaseIterable, Sendable {
    /// In a data directory.
    case embedded
    /// On a broker of the test's own, or in a part of a cluster that is there.
    case kafka

    /// Makes an empty store, and what must live as long as it.
    func make(in directory: TemporaryDirectory, _ logger: Logger) throws -> Made {
        switch self {
        case .embedded:
            var options = StoreOptions()
            // Tests ask for it.
            options.maintenanceInterval = nil
            let store = try EmbeddedTopicStore(
                directory: directory.file("data"),
                mode: .readWrite,
                logger: logger,
                options: options
            )
            return Made(store: store, broker: nil)
        case .kafka:
            let broker = try KafkaBroker()
            let name = "engine-\(UInt64.random(in: 0 ... .max))-"
            var options = KafkaStoreOptions()
            options.replicationFactor = 1
            options.name = name + "millrace"
            let keys = ["bootstrap.servers": broker.bootstrap]
            let store = try KafkaTopicStore(broker: keys, options: options)
            return Made(store: NamespacedStore(store, prefix: name), broker: broker)
        }
    }

    struct Made: Sendable {
        let store: any TopicStore
        let broker: KafkaBroker?
    }
}
