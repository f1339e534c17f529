internal import CKafka

/// A setting of a topic.
public struct KafkaSetting: Sendable, Hashable {
    /// The value, `nil` where the broker does not tell.
    public var value: String?
    /// Whether nobody has set it for this topic.
    public var isDefault: Bool
}

extension KafkaAdmin {
    /// The settings of a topic.
    public func configuration(
        ofTopic name: String
    ) throws(KafkaFailure) -> [String: KafkaSetting] {
        let what = "Asking for the settings of the topic \(name)"
        let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name)
        defer { rd_kafka_ConfigResource_destroy(resource) }
        var settings: [String: KafkaSetting] = [:]
        try requestSettings(.describeConfigs, about: resource, doing: what) { resource in
            var count = 0
            let entries = rd_kafka_ConfigResource_configs(resource, &count)
            for index in 0..<count {
                guard let name = rd_kafka_ConfigEntry_name(entries?[index]) else { continue }
                let isOwn =
                    rd_kafka_ConfigEntry_source(entries?[index])
                    == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG
                settings[String(cString: name)] = KafkaSetting(
                    value: rd_kafka_ConfigEntry_value(entries?[index]).map { String(cString: $0) },
                    isDefault: !isOwn
                )
            }
        }
        return settings
    }

    /// Changes settings of a topic, all others staying as they are; `nil` brings a default back.
    public func alterTopic(_ name: String, _ changes: [String: String?]) throws(KafkaFailure) {
        let what = "Changing the settings of the topic \(name)"
        guard mr_kafka_has_incremental_alter() == 0 else {
            return try alterIncrementally(name, changes, what)
        }
        // The older request replaces all settings, so those that are set go along.
        var wanted: [String: String] = [:]
        for (key, setting) in try configuration(ofTopic: name) where !setting.isDefault {
            wanted[key] = setting.value
        }
        for (key, value) in changes { wanted[key] = value }
        let resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name)
        defer { rd_kafka_ConfigResource_destroy(resource) }
        for (key, value) in wanted.sorted(by: { $0.key < $1.key }) {
            _ = rd_kafka_ConfigResource_set_config(resource, key, value)
        }
        try requestSettings(.alterConfigs, about: resource, doing: what)
    }

    private func alterIncrementally(
        _ name: String,
        _ changes: [String: String?],
        _ what: String
    ) throws(KafkaFailure) {
        let names = CStringList(changes.map { $0.key })
        let values = CStringList(changes.map { $0.value })
        let request = AdminRequestHandle(client, RD_KAFKA_ADMIN_OP_ANY, timeout)
        let error = mr_kafka_incremental_alter(
            client.pointer,
            name,
            names.pointers,
            values.pointers,
            changes.count,
            request.options,
            request.queue
        )
        if let failure = client.take(error, doing: what) { throw failure }
        var text: UnsafePointer<CChar>?
        let code = mr_kafka_alter_result(try request.answer(to: what), &text)
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        throw client.failure(code, text.map { String(cString: $0) }, doing: what)
    }
}
