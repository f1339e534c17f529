internal import ConnectorSDK

/// Remembers what a source has sent and is not yet durable, and says what may be acknowledged.
///
/// A value without clock or lock: events go in, what to do comes out.
struct AcknowledgementLedger {
    /// What became durable by one event.
    struct Released: Equatable {
        /// For every part the last position, in the order in which they were sent.
        var positions: [SourcePosition] = []
        /// The number of records.
        var records: Int64 = 0
        /// The bytes of their values.
        var bytes: Int64 = 0
    }

    private struct Entry {
        var ticket: Int64
        var position: SourcePosition?
        var records: Int64
        var bytes: Int64
    }

    private var entries: [Entry] = []
    private var first = 0
    /// Where in a release the position of each part is; kept only for its memory.
    private var latest: [String: Int] = [:]

    /// Whether all that was sent is durable.
    var isSettled: Bool { first == entries.count }

    /// The entries it holds, which stay few as long as commits keep up. (D7)
    var retainedEntries: Int { entries.count }

    /// The ticket of what was sent last, or `nil` when all is durable.
    var lastTicket: Int64? { isSettled ? nil : entries.last?.ticket }

    /// Notes that records were handed to the store under `ticket`; tickets ascend.
    ///
    /// Without a position there is nothing to acknowledge.
    mutating func sent(ticket: Int64, position: SourcePosition?, records: Int, bytes: Int) {
        entries.append(
            Entry(
                ticket: ticket,
                position: position,
                records: Int64(records),
                bytes: Int64(bytes)
            )
        )
    }

    /// Notes that everything through `ticket` is durable.
    ///
    /// D1: only a prefix without gaps is released, and each position once.
    mutating func durable(through ticket: Int64) -> Released {
        var released = Released()
        latest.removeAll(keepingCapacity: true)
        while first < entries.count, entries[first].ticket <= ticket {
            let entry = entries[first]
            first += 1
            released.records += entry.records
            released.bytes += entry.bytes
            guard let position = entry.position else { continue }
            if let known = latest[position.partition] {
                released.positions[known] = position
            } else {
                latest[position.partition] = released.positions.count
                released.positions.append(position)
            }
        }
        forgetReleased()
        return released
    }

    private mutating func forgetReleased() {
        if isSettled {
            entries.removeAll(keepingCapacity: true)
            first = 0
        } else if first > 1_024 {
            entries.removeFirst(first)
            first = 0
        }
    }
}
