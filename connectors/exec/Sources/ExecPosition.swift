internal import ConnectorSDK
internal import JSONDocuments

/// Which run of the program was the last one, and how far it was read.
struct ExecPosition: Hashable {
    static let partition = "exec"

    /// Counted from 1.
    var number: Int64
    /// In seconds since the epoch.
    var started: Int64
    /// The records read.
    var record: Int64 = 0
    /// Whether the program ended well and everything was read.
    var isDone = false

    init(number: Int64, started: Int64) {
        self.number = number
        self.started = started
    }

    var position: SourcePosition {
        var object = JSONObjectText()
        object.add("run", number)
        object.add("started", started)
        object.add("record", record)
        object.add("done", isDone)
        return SourcePosition(partition: Self.partition, offset: object.closed())
    }

    /// Reads the offset of ``position``.
    init?(_ text: String) {
        guard let value = JSONDocument(parsing: text), let number = value["run"]?.int,
            let started = value["started"]?.int
        else { return nil }
        self.init(number: number, started: started)
        record = value["record"]?.int ?? 0
        isDone = value["done"]?.bool ?? false
    }
}
