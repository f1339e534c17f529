internal import ConnectorSDK
internal import JSONDocuments

/// How far standard input was read, and of which process.
struct StdinPosition: Hashable {
    /// The part's name in a ``SourcePosition``.
    static let partition = "stdin"

    /// Which process's input it is: the place means nothing in that of another.
    var run: String
    var reader: ReaderPosition

    init(run: String, reader: ReaderPosition) {
        self.run = run
        self.reader = reader
    }

    /// JSON text.
    var text: String {
        var object = JSONObjectText()
        object.add("run", run)
        object.add("byte", reader.byte)
        object.add("line", reader.line)
        object.add("record", reader.record)
        if let state = reader.state { object.add("state", state) }
        return object.closed()
    }

    /// Reads ``text``.
    init?(_ text: String) {
        guard let value = JSONDocument(parsing: text), let run = value["run"]?.string,
            let byte = value["byte"]?.int, byte >= 0
        else { return nil }
        self.run = run
        reader = ReaderPosition(
            byte: byte,
            line: max(1, value["line"]?.int ?? 1),
            record: max(0, value["record"]?.int ?? 0),
            state: value["state"]?.string
        )
    }
}
