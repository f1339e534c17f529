/// An error a connector, format, transform or store reports to the engine.
///
/// The engine acts on ``disposition`` and never parses ``message``.
public struct ConnectorError: Error, Sendable {
    /// A stable identifier such as `sqlite.busy`.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The identifier: the part's name, a dot, the reason.
        public let rawValue: String
        /// Makes a code.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// Makes a code.
        public init(_ rawValue: String) { self.rawValue = rawValue }
    }

    /// What the engine does next.
    public enum Disposition: Hashable, Sendable {
        /// Calls again after the delay, or after the policy's backoff when `nil`.
        case retry(after: Duration?)
        /// The data is at fault: the record goes to the dead letter topic, or stops the task,
        /// as `errors.tolerance` says. From a sink's `write` it means that the batch had no
        /// effect; the engine then finds the record at fault by writing parts of the batch.
        case rejectRecord
        /// Stops the task until an operator changes something.
        case failTask
    }

    /// Whose fault it is; decides the exit code.
    public enum Kind: Hashable, Sendable {
        /// Anything that happens while running: exit code 1.
        case runtime
        /// A configuration that cannot work: exit code 2.
        case configuration
        /// The surroundings — a server, the disk, a permission: exit code 3.
        case environment
    }

    /// A stable identifier.
    public var code: Code
    /// What the engine does next.
    public var disposition: Disposition
    /// Whose fault it is.
    public var kind: Kind
    /// One or two sentences for a person.
    ///
    /// No row data, no secret.
    public var message: String
    /// The configuration key at fault, such as `table.name.format`.
    public var configurationKey: String?
    /// What to do about it.
    public var hint: String?
    /// The cause.
    public var underlying: (any Error)?

    /// Makes an error.
    public init(
        _ code: Code,
        _ disposition: Disposition,
        _ message: String,
        kind: Kind = .runtime,
        at configurationKey: String? = nil,
        hint: String? = nil,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.disposition = disposition
        self.kind = kind
        self.message = message
        self.configurationKey = configurationKey
        self.hint = hint
        self.underlying = underlying
    }
}

extension ConnectorError.Code {
    /// The task was told to stop.
    public static let cancelled = Self("cancelled")
    /// A sink was refused one of the batches it wrote since its last commit, and cannot say which.
    ///
    /// None of them has an effect. The engine makes a new instance, tells it to answer for each
    /// batch (``ConnectorContext/answersEachBatch``) and goes on from the last durable offsets.
    public static let refusedTogether = Self("sink.refused_together")
    /// Whoever reads what a sink writes has gone away, as `head` does with a pipe; nobody is at
    /// fault.
    ///
    /// The engine ends the run as a signal does. The sink's offsets stay where they were committed,
    /// so nothing is lost.
    public static let readerGone = Self("sink.reader_gone")
    /// A configuration key has a value that cannot work.
    public static let invalidConfiguration = Self("configuration.invalid")
    /// A file or directory could not be opened, read, written or renamed.
    public static let fileSystem = Self("file_system")
}

extension ConnectorError {
    /// Makes the error of a configuration key that cannot work.
    public static func invalid(_ key: String, _ message: String, hint: String? = nil) -> Self {
        Self(
            .invalidConfiguration,
            .failTask,
            message,
            kind: .configuration,
            at: key,
            hint: hint
        )
    }
}

extension ConnectorError: CustomStringConvertible, CustomDebugStringConvertible {
    /// Safe to show: holds no row data and no secret.
    public var description: String {
        let key = configurationKey.map { "\($0): " } ?? ""
        let advice = hint.map { " \($0)" } ?? ""
        return "\(key)\(message)\(advice) [\(code.rawValue)]"
    }

    /// Holds the whole cause chain, so never send it to a client.
    public var debugDescription: String {
        guard let underlying else { return description }
        return "\(description) cause: \(String(reflecting: underlying))"
    }
}
