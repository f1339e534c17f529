internal import ConnectorSDK

extension ConnectorError {
    /// Compressed bytes that are not what their format says.
    internal static func corrupt(_ kind: CompressionKind, _ detail: String) -> Self {
        Self(
            Code("compression.corrupt"),
            .failTask,
            "The \(kind.rawValue) data is damaged: \(detail)."
        )
    }

    /// Compressed bytes that end too early.
    internal static func truncated(_ kind: CompressionKind) -> Self {
        Self(
            Code("compression.truncated"),
            .failTask,
            "The \(kind.rawValue) data ends in the middle.",
            hint: "It may still be being written, or a copy of it was cut off."
        )
    }

    /// Compressed bytes that would become too many.
    internal static func tooLarge(_ kind: CompressionKind, limit: Int) -> Self {
        Self(
            Code("compression.too_large"),
            .failTask,
            "The \(kind.rawValue) data is larger than \(limit) bytes when decompressed."
        )
    }

    /// A library that has no memory for its state.
    internal static func outOfMemory(_ kind: CompressionKind) -> Self {
        Self(
            Code("compression.memory"),
            .failTask,
            "There is no memory for \(kind.rawValue).",
            kind: .environment
        )
    }
}
