/// The headers by which a captured change says where it comes from.
///
/// Sources that capture changes set them; transforms leave them alone, so that a sink knows them
/// whatever has become of the value.
public enum CapturedChangeHeader {
    /// The table's name as `table.name.format` fills it in for `${table}`.
    public static let table: StaticString = "millrace.table"
    /// A ``TransactionMark``; absent from rows of a snapshot.
    public static let transaction: StaticString = "millrace.transaction"
}

/// Where a record stands among the transactions of the database it was captured from.
///
/// As text `SEQUENCE:ORDER`, both in decimal digits, such as `24023128:2`; and `SEQUENCE:end` on
/// the record which says, in the source's transaction topic, that a transaction is complete. That
/// one is sent last, so whoever sees it finds all of the transaction in the topics.
public struct TransactionMark: Hashable, Sendable {
    /// Grows from each captured transaction to the next, in commit order; a PostgreSQL commit LSN,
    /// for one.
    public var sequence: UInt64
    /// The record's place among the transaction's, from 1 and without gaps as captured; `nil` on
    /// the end.
    public var order: UInt64?

    /// Makes a mark.
    public init(sequence: UInt64, order: UInt64?) {
        self.sequence = sequence
        self.order = order
    }

    /// The mark in a record's headers; `nil` when there is none, or none that can be read.
    public init?(_ metadata: RecordMetadata) {
        guard let text = HeaderReader.value(of: CapturedChangeHeader.transaction, in: metadata)
        else { return nil }
        self.init(text: text)
    }

    /// Reads a header's value.
    public init?(text: UnsafeRawBufferPointer) {
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")),
            let sequence = Self.number(text[..<colon])
        else { return nil }
        let rest = text[(colon + 1)...]
        if rest.elementsEqual("end".utf8) {
            self.init(sequence: sequence, order: nil)
        } else {
            guard let order = Self.number(rest) else { return nil }
            self.init(sequence: sequence, order: order)
        }
    }

    private static func number(_ text: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        guard !text.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard byte &- 0x30 <= 9 else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(byte &- 0x30))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }
}

/// Where a source of captured changes says that transactions are complete.
public struct CapturedTransactionTopic: Hashable, Sendable {
    /// The topic.
    public var name: String
    /// What the names of the topics of its tables begin with.
    public var tablePrefix: String
    /// The key that makes the source say it, when it does not; `nil` when it does.
    public var missingKey: String?

    /// Describes a topic.
    public init(name: String, tablePrefix: String, missingKey: String? = nil) {
        self.name = name
        self.tablePrefix = tablePrefix
        self.missingKey = missingKey
    }
}
