internal import Topics

/// Reads topic settings back from `state.db`, which has what `TopicSettings.entries` gave.
internal enum StoredSetting {
    /// Sets one setting; a name or value that this release does not know leaves the default.
    internal static func apply(_ key: String, _ value: String, _ settings: inout TopicSettings) {
        func set<Value>(_ path: WritableKeyPath<TopicSettings, Value>, _ value: Value?) {
            if let value { settings[keyPath: path] = value }
        }
        switch key {
        case "cleanup.policy": set(\.cleanupPolicy, .init(rawValue: value))
        case "retention.ms": set(\.retentionMilliseconds, Int64(value))
        case "retention.bytes": set(\.retentionBytes, Int64(value))
        case "retention.hold.sinks": set(\.retentionHoldSinks, Bool(value))
        case "segment.bytes": set(\.segmentBytes, Int64(value))
        case "segment.ms": set(\.segmentMilliseconds, Int64(value))
        case "compression.type": set(\.compressionType, .init(rawValue: value))
        case "message.timestamp.type": set(\.timestampType, .init(rawValue: value))
        case "max.message.bytes": set(\.maxMessageBytes, Int64(value))
        case "delete.retention.ms": set(\.deleteRetentionMilliseconds, Int64(value))
        case "min.compaction.lag.ms": set(\.minCompactionLagMilliseconds, Int64(value))
        case "min.cleanable.dirty.ratio": set(\.minCleanableDirtyRatio, Double(value))
        case "durability": set(\.durability, .init(rawValue: value))
        default: break
        }
    }
}
