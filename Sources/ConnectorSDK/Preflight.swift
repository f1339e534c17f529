/// What a connector found out about one thing that it needs, before it runs.
///
/// `millrace doctor` shows all of them, `millrace validate --connect` those that did not pass.
public struct PreflightCheck: Hashable, Sendable {
    /// How it stands.
    public enum Outcome: String, Sendable {
        /// As it should be.
        case passed
        /// The connector runs, but not as well, or not for long.
        case warning
        /// The connector cannot run.
        case failed
    }

    /// What was looked at, in a few words for a list, such as `wal_level` or `read access`.
    public var subject: String
    /// How it stands.
    public var outcome: Outcome
    /// Whose fault it is when it failed; decides the exit code.
    public var kind: ConnectorError.Kind
    /// What was found, with numbers, in one or two sentences.
    ///
    /// No row data, no secret. (D8)
    public var message: String
    /// What to do about it: a command, a statement, a setting.
    public var hint: String?
    /// The configuration key that it follows from, such as `url`.
    public var configurationKey: String?

    /// Makes a check.
    public init(
        _ subject: String,
        _ outcome: Outcome,
        _ message: String,
        kind: ConnectorError.Kind = .environment,
        at configurationKey: String? = nil,
        hint: String? = nil
    ) {
        self.subject = subject
        self.outcome = outcome
        self.kind = kind
        self.message = message
        self.configurationKey = configurationKey
        self.hint = hint
    }

    /// Makes the check of what an error stopped.
    public init(_ subject: String, failed error: ConnectorError) {
        self.init(
            subject,
            .failed,
            error.message,
            kind: error.kind == .runtime ? .environment : error.kind,
            at: error.configurationKey,
            hint: error.hint
        )
    }
}
