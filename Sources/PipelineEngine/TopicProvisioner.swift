internal import ConnectorSDK
internal import Synchronization
internal import Topics

/// Creates topics, and remembers what they are like.
///
/// Shared by all tasks of a run.
final class TopicProvisioner: Sendable {
    private struct State {
        var declared: [String: TopicDefinition] = [:]
        var known: [String: TopicDescription] = [:]
    }

    private let store: any TopicStore
    private let control: RunControl
    private let state = Mutex(State())

    init(store: any TopicStore, control: RunControl) {
        self.store = store
        self.control = control
    }

    /// Creates a declared topic, or makes sure that the one that exists is as declared.
    func declare(_ topic: TopicDefinition) throws(ConnectorError) {
        let earlier = state.withLock { $0.declared[topic.name] }
        if let earlier, earlier.partitions != topic.partitions || earlier.settings != topic.settings
        {
            throw .invalid(
                "topics.\(topic.name)",
                "Two pipelines declare the topic `\(topic.name)` differently.",
                hint: "Declare it in one of them."
            )
        }
        state.withLock { $0.declared[topic.name] = topic }
        let found = try existing(topic.name, orCreate: topic)
        guard found.partitions == topic.partitions else {
            throw .invalid(
                "topics.\(topic.name).partitions",
                "The topic `\(topic.name)` has \(found.partitions) partitions, "
                    + "and \(topic.partitions) are declared.",
                hint: "Records with one key would leave their partition. Declare "
                    + "\(found.partitions) partitions, or delete the topic first."
            )
        }
        if found.settings != topic.settings {
            try store.alter(topic.name, settings: topic.settings)
            state.withLock { $0.known[topic.name] = nil }
        }
    }

    /// The topic; created as `fallback` says when it does not exist and is not declared.
    func topic(
        _ name: String,
        orCreate fallback: TopicDefinition
    ) throws(ConnectorError) -> TopicDescription {
        let (known, declared) = state.withLock { ($0.known[name], $0.declared[name]) }
        if let known { return known }
        return try existing(name, orCreate: declared ?? fallback)
    }

    /// Looks at all topics anew, since one that was known is gone.
    func forgetTopics() { state.withLock { $0.known.removeAll() } }

    private func existing(
        _ name: String,
        orCreate definition: TopicDefinition
    ) throws(ConnectorError) -> TopicDescription {
        var found = try store.describe(name)
        if found == nil {
            try create(name, as: definition)
            found = try store.describe(name)
            control.wakeAll()
        }
        guard let found else {
            throw ConnectorError(
                .init("engine.topic_vanished"),
                .retry(after: nil),
                "The topic `\(name)` was deleted while it was being created."
            )
        }
        state.withLock { $0.known[name] = found }
        return found
    }

    private func create(_ name: String, as definition: TopicDefinition) throws(ConnectorError) {
        if let problem = TopicName.problem(name) {
            throw .invalid("topic", "The topic name `\(name)` \(problem).")
        }
        do throws(ConnectorError) {
            try store.create(
                name,
                partitions: definition.partitions,
                settings: definition.settings
            )
        } catch {
            // Another task was faster.
            guard error.code.rawValue == "topics.exists" else { throw error }
        }
    }

    /// What a dead letter topic is created as: one partition keeps the order, and dead letters
    /// stay until somebody sees to them, whatever their timestamps.
    static func deadLetters(_ name: String) -> TopicDefinition {
        var settings = TopicSettings()
        settings.retentionMilliseconds = -1
        return TopicDefinition(name: name, partitions: 1, settings: settings)
    }

    /// What a topic that a connector writes to is created as: unless a number of partitions is
    /// asked for, one that reads topics makes as many as they have, so that records can stay in
    /// theirs; `wanted` is what a source that mirrors topics says.
    static func written(
        _ name: String,
        by plan: ConnectorPlan,
        in store: any TopicStore,
        like wanted: Int32? = nil
    ) throws(ConnectorError) -> TopicDefinition {
        var topic = try written(name, plan.configuration)
        let key = FrameworkKeys.defaultPartitions.declaration.name
        guard plan.configuration.values[key] == nil else { return topic }
        if let wanted { topic.partitions = max(topic.partitions, wanted) }
        guard plan.linksTopics else { return topic }
        let selection = try plan.selection()
        for source in try store.topics() where selection.contains(source.name) {
            topic.partitions = max(topic.partitions, source.partitions)
        }
        return topic
    }

    /// What a topic that a source writes to is created as.
    static func written(
        _ name: String,
        _ configuration: Configuration
    ) throws(ConnectorError) -> TopicDefinition {
        let partitions = try configuration.get(FrameworkKeys.defaultPartitions)
        let prefix = FrameworkKeys.topicCreationPrefix
        let nested = configuration.nested(below: prefix, without: ["partitions"])
        do throws(ConnectorError) {
            return TopicDefinition(
                name: name,
                partitions: Int32(clamping: partitions),
                settings: try TopicSettings(nested)
            )
        } catch {
            throw error.nested(below: prefix)
        }
    }
}
