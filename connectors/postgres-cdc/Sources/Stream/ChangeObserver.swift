internal import ConnectorSDK

/// Sees changes before they are appended, so that rows of a snapshot that runs beside them come
/// out in the right order.
internal protocol ChangeObserver: AnyObject {
    /// Whether a change is not to be told, because a snapshot has it or will have it.
    func isHidden(_ relation: CapturedRelation, _ transaction: UInt32) -> Bool

    /// Notes a change of a row that is about to be appended.
    func willAppend(
        _ relation: CapturedRelation,
        _ before: UnsafePointer<Cell>?,
        _ after: UnsafePointer<Cell>?,
        _ transaction: UInt32
    )

    /// Notes that all rows of a table are about to go.
    func willTruncate(_ relation: CapturedRelation, _ transaction: UInt32)
}

/// The numbers of transactions that were appended, and that a snapshot may not see yet.
///
/// A commit is streamed as soon as it is in the log; sessions see it a little later. A snapshot
/// taken between would be older than what was appended.
internal struct RecentTransactions {
    private var numbers: [UInt32] = []

    /// So many are remembered before it is worth asking the server which of them everybody sees.
    internal static let limit = 8_192

    internal var isLong: Bool { numbers.count >= Self.limit }

    internal mutating func append(_ transaction: UInt32) { numbers.append(transaction) }

    /// Whether a snapshot sees all of them; forgets those that it sees.
    internal mutating func areSeen(by view: TransactionView) -> Bool {
        numbers.removeAll { view.sees($0) }
        return numbers.isEmpty
    }
}
