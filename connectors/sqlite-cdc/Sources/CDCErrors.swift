internal import ConnectorSDK

extension ConnectorError {
    /// The log does not hold what follows the stored position.
    internal static func logLost(_ path: String, _ reason: String) -> Self {
        Self(
            .init("sqlite_cdc.log_lost"),
            .failTask,
            "The changes that follow the stored position are not in \(path): \(reason).",
            at: CDCKeys.snapshotMode.declaration.name,
            hint: """
                Set snapshot.mode to when_needed to read the tables again, or reset the \
                connector's offsets.
                """
        )
    }

    /// The file, or what is in it, is not what was opened.
    ///
    /// A new instance finds out whether it can go on.
    internal static func changedBeneath(_ path: String, _ reason: String) -> Self {
        Self(
            .init("sqlite_cdc.database_changed"),
            .retry(after: nil),
            "The database \(path) was changed beneath this connector: \(reason).",
            kind: .environment,
            at: CDCKeys.path.declaration.name
        )
    }

    /// Somebody else captures under the same name.
    internal static func belongs(to owner: String, _ path: String) -> Self {
        Self(
            .init("sqlite_cdc.owned"),
            .failTask,
            "The changes of \(path) are captured by the connector `\(owner)` already.",
            kind: .configuration,
            at: CDCKeys.name.declaration.name,
            hint: """
                Choose another capture.name for this connector, or remove the other capture with \
                capture.action: remove.
                """
        )
    }

    /// The log was made by a program that is newer than this one.
    internal static func newerFormat(_ path: String, _ format: Int64) -> Self {
        Self(
            .init("sqlite_cdc.format"),
            .failTask,
            "The change log in \(path) has format \(format); this program knows 1.",
            hint: "Use the version of Millrace that installed it, or a newer one."
        )
    }

    /// The log is not as its triggers left it.
    internal static func damagedLog(_ path: String, _ change: Int64) -> Self {
        Self(
            .init("sqlite_cdc.log_damaged"),
            .failTask,
            "Change \(change) in \(path) belongs to no table that was captured.",
            hint: "Remove the capture with capture.action: remove, and begin anew."
        )
    }

    /// A text that is not UTF-8.
    internal static func notUTF8(_ column: String) -> Self {
        Self(
            .init("sqlite_cdc.invalid_utf8"),
            .rejectRecord,
            "The text in \(column) is not UTF-8.",
            hint: "Store such values as BLOB."
        )
    }
}
