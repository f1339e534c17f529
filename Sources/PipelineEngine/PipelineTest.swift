/// One case of a pipeline file's `tests:` block: records that go in, and what must come out.
public struct PipelineTest: Sendable {
    /// A record as the `tests:` block writes it.
    public struct Record: Sendable, Hashable {
        /// The key as the topic holds it, or `nil` for none.
        public var key: String?
        /// The value as the topic holds it, or `nil` for a tombstone.
        public var value: String?
        /// The headers, in order.
        public var headers: [Header]

        /// Makes a record.
        public init(key: String? = nil, value: String?, headers: [Header] = []) {
            self.key = key
            self.value = value
            self.headers = headers
        }
    }

    /// A record header with text as its value.
    public struct Header: Sendable, Hashable {
        /// The header's name.
        public var key: String
        /// The header's value.
        public var value: String

        /// Makes a header.
        public init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    /// What the case claims.
    public var name: String
    /// The connector whose transforms the records go through.
    public var connector: String
    /// The records that go in.
    public var input: [Record]
    /// The records that must come out, in order.
    public var expected: [Record]
    /// How many records must be rejected.
    public var rejected: Int

    /// Makes a case.
    public init(
        name: String,
        connector: String,
        input: [Record],
        expected: [Record],
        rejected: Int = 0
    ) {
        self.name = name
        self.connector = connector
        self.input = input
        self.expected = expected
        self.rejected = rejected
    }
}

/// What came of one case.
public struct PipelineTestResult: Sendable {
    /// The case.
    public var name: String
    /// What differed, in words; empty when the case passed.
    public var problems: [String]

    /// Whether nothing differed.
    public var passed: Bool { problems.isEmpty }
}
