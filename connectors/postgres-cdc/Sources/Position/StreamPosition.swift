internal import ConnectorSDK
internal import JSONDocuments
internal import LogicalReplication

/// How far the stream has been read, as `offsets show` shows it.
///
/// Everything that was committed before ``lsn`` is in the topics. What is behind it is not, except
/// for the first ``changes`` changes of the transaction whose commit is at ``commit``: a large
/// transaction becomes durable in many pieces, and a restart within it skips what is there. (D3)
internal struct StreamPosition: Equatable {
    /// The name of the part that the position is of.
    internal static let partition = "stream"

    /// Where replication goes on.
    internal var lsn: LSN
    /// The commit of the transaction that is durable in part.
    internal var commit: LSN?
    /// How many of its changes are, of all that the server sends, told or not.
    internal var changes: UInt64 = 0
    /// The publication by which they were counted; empty when nothing is durable in part.
    internal var publication = ""
    /// The server's identifier, which tells one cluster from another.
    internal var system: String
    /// The slot.
    internal var slot: String

    internal init(lsn: LSN, system: String, slot: String) {
        self.lsn = lsn
        self.system = system
        self.slot = slot
    }

    /// The position as JSON; ``lsn`` comes first, so that ``lsn(of:)`` finds it at once.
    internal var json: String {
        var text = "{\"lsn\":\"\(lsn)\""
        if let commit {
            text += ",\"commit\":\"\(commit)\",\"changes\":\(changes)"
            if !publication.isEmpty {
                text += ",\"publication\":\(JSONDocument.quote(publication))"
            }
        }
        // Identifiers of clusters are digits; slots have lower-case letters, digits, underscores.
        return text + ",\"slot\":\"\(slot)\",\"system\":\"\(system)\"}"
    }

    /// Reads ``json``; `nil` when the text is something else.
    internal init?(_ text: String) {
        guard let tree = JSONDocument(parsing: text) else { return nil }
        guard let lsn = tree["lsn"]?.string.flatMap({ LSN($0) }), let slot = tree["slot"]?.string,
            let system = tree["system"]?.string
        else { return nil }
        self.init(lsn: lsn, system: system, slot: slot)
        guard let commit = tree["commit"]?.string else { return }
        guard let place = LSN(commit), let changes = tree["changes"]?.uint64
        else { return nil }
        self.commit = place
        self.changes = changes
        publication = tree["publication"]?.string ?? ""
    }

    /// The place up to which a position of the stream lets the server forget.
    internal static func lsn(of text: String) -> LSN? { StreamPosition(text)?.lsn }
}

extension StreamPosition {
    /// The position as the engine stores it.
    internal var sourcePosition: SourcePosition {
        SourcePosition(partition: Self.partition, offset: json)
    }
}
