public import ConnectorSDK

/// What stands for a position where there is none: how many have been received in all.
///
/// A listener cannot go back; the number tells how much came through it, and tells
/// acknowledgements apart.
public enum ListenerPosition {
    private static let partition = "received"
    private static let prefix = "{\"count\":"

    /// The position behind so many.
    public static func position(_ count: Int64) -> SourcePosition {
        SourcePosition(partition: partition, offset: "\(prefix)\(count)}")
    }

    /// How many had been received when the positions were stored.
    public static func count(in positions: [String: String]) -> Int64 {
        positions[partition].flatMap(count) ?? 0
    }

    /// The number in a position of this kind.
    public static func count(_ offset: String) -> Int64? {
        guard offset.hasPrefix(prefix), offset.hasSuffix("}") else { return nil }
        return Int64(offset.dropFirst(prefix.count).dropLast())
    }
}

extension ConnectorError {
    /// Makes the error of a listener that is asked to come to an end by itself.
    public static func noEnd(_ connector: String) -> Self {
        ConnectorError(
            .init("listener.no_end"),
            .failTask,
            "A `\(connector)` source has no end: others decide when they send.",
            kind: .configuration,
            hint: "Run it without --until-end, and stop it with SIGTERM."
        )
    }
}
