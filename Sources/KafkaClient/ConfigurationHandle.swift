internal import CKafka

/// A configuration of librdkafka until a client takes it over.
internal final class ConfigurationHandle {
    private var pointer: OpaquePointer?

    internal init() { pointer = rd_kafka_conf_new() }

    deinit { if let pointer { rd_kafka_conf_destroy(pointer) } }

    /// Whether this version of librdkafka has a key.
    internal func knows(_ key: String) -> Bool {
        var size = 0
        return rd_kafka_conf_get(pointer, key, nil, &size) != RD_KAFKA_CONF_UNKNOWN
    }

    /// Sets every key, in order, so that the error is the same each time.
    internal func set(_ settings: KafkaSettings) throws(KafkaFailure) {
        for (key, value) in settings.values.sorted(by: { $0.key < $1.key }) {
            try set(key, value, settings)
        }
    }

    private func set(
        _ key: String,
        _ value: String,
        _ settings: KafkaSettings
    ) throws(KafkaFailure) {
        var text = [CChar](repeating: 0, count: 512)
        let result = rd_kafka_conf_set(pointer, key, value, &text, text.count)
        guard result != RD_KAFKA_CONF_OK else { return }
        throw settings.failure(
            setting: key,
            String(buffer: text),
            isUnknown: result == RD_KAFKA_CONF_UNKNOWN
        )
    }

    /// Has the callbacks of a client report to `events`, which must outlive it.
    internal func report(to events: ClientEvents, countsDeliveries: Bool) {
        rd_kafka_conf_set_opaque(pointer, Unmanaged.passUnretained(events).toOpaque())
        rd_kafka_conf_set_error_cb(pointer) { _, code, reason, opaque in
            guard let opaque, let reason else { return }
            Unmanaged<ClientEvents>.fromOpaque(opaque).takeUnretainedValue()
                .note(KafkaErrorCode(rawValue: code), String(cString: reason))
        }
        rd_kafka_conf_set_log_cb(pointer) { client, level, _, text in
            guard let client, let text, let opaque = rd_kafka_opaque(client) else { return }
            let events = Unmanaged<ClientEvents>.fromOpaque(opaque).takeUnretainedValue()
            events.observer.log?(Int(level), events.settings.redact(String(cString: text)))
        }
        if events.observer.statistics != nil {
            rd_kafka_conf_set_stats_cb(pointer) { _, json, length, opaque in
                guard let json, let opaque else { return 0 }
                let bytes = UnsafeRawBufferPointer(start: json, count: length)
                Unmanaged<ClientEvents>.fromOpaque(opaque).takeUnretainedValue()
                    .observer.statistics?(String(decoding: bytes, as: UTF8.self))
                return 0
            }
        }
        if countsDeliveries { mr_kafka_count_deliveries(pointer) }
    }

    /// Has a group's assignments come as events of the consumer's queue.
    internal func enableRebalanceEvents() {
        rd_kafka_conf_set_events(pointer, RD_KAFKA_EVENT_REBALANCE)
    }

    /// Makes a client, which takes the configuration over.
    internal func makeClient(
        _ type: rd_kafka_type_t,
        _ settings: KafkaSettings
    ) throws(KafkaFailure) -> OpaquePointer {
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(type, pointer, &text, text.count) else {
            // Most often settings that contradict each other, in words that name them.
            let said = String(buffer: text)
            throw KafkaFailure(
                .configuration,
                .none,
                "No Kafka client can be made with these settings: \(settings.redact(said))."
            )
        }
        pointer = nil
        return client
    }
}
