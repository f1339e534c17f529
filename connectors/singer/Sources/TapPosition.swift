internal import ConnectorSDK
internal import JSONDocuments

/// What the tap said last about how far it is, and when it ran.
struct TapPosition {
    static let partition = "singer"

    /// The value of the last `STATE`, as JSON text.
    var state: String?
    /// When the run was started, in seconds since the epoch.
    var started: Int64
    /// Whether the run was read to its end.
    var isDone = false

    var position: SourcePosition {
        var object = JSONObjectText()
        if let state { object.add("state", .raw(state)) }
        object.add("started", started)
        object.add("done", isDone)
        return SourcePosition(partition: Self.partition, offset: object.closed())
    }

    init(state: String?, started: Int64) {
        self.state = state
        self.started = started
    }

    /// Reads the offset of ``position``, or what a person wrote: a state alone suffices.
    init?(_ text: String) {
        guard let value = JSONDocument(parsingAny: text), value.fields != nil else { return nil }
        state = value["state"]?.text
        started = value["started"]?.int ?? 0
        isDone = value["done"]?.bool ?? true
    }
}
