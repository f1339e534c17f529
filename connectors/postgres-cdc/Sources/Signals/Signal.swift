internal import JSONDocuments

/// Something that a person asks of a connector while it runs, in Debezium's form.
internal struct Signal: Equatable, Sendable {
    /// What is asked.
    internal enum Request: Equatable, Sendable {
        /// Read tables again, while changes are captured.
        case executeSnapshot(tables: [String], filters: [Filter])
        /// Stop reading them; all tables when there are none.
        case stopSnapshot(tables: [String])
        /// Read no more until told so.
        case pauseSnapshot
        /// Read on.
        case resumeSnapshot
        /// Write something into the log.
        case log(String)
    }

    /// Which rows of some tables to read.
    internal struct Filter: Equatable, Sendable {
        /// A regular expression for the names of the tables.
        internal var tables: String
        /// An SQL condition.
        internal var condition: String
    }

    /// The sender's name for it.
    internal var id: String
    internal var request: Request

    /// Reads a signal; throws what is wrong with it.
    internal init(id: String, type: String, data: String) throws(SignalError) {
        self.id = id
        let tree = JSONDocument(parsing: data.isEmpty ? "{}" : data)
        switch type {
        case "execute-snapshot":
            guard let tree, case .object = tree else { throw SignalError("its data is no object") }
            let kind = tree["type"]?.string ?? "incremental"
            guard kind.lowercased() == "incremental" else {
                throw SignalError("there are no `\(kind)` snapshots, only incremental ones")
            }
            guard let tables = tree["data-collections"]?.strings, !tables.isEmpty else {
                throw SignalError("`data-collections` must be a list of tables")
            }
            request = .executeSnapshot(tables: tables, filters: try Self.filters(tree))
        case "stop-snapshot":
            request = .stopSnapshot(tables: tree?["data-collections"]?.strings ?? [])
        case "pause-snapshot": request = .pauseSnapshot
        case "resume-snapshot": request = .resumeSnapshot
        case "log": request = .log(tree?["message"]?.string ?? "")
        default: throw SignalError("its type `\(type)` is unknown")
        }
    }

    private static func filters(_ tree: JSONDocument) throws(SignalError) -> [Filter] {
        var filters: [Filter] = []
        for element in tree["additional-conditions"]?.array ?? [] {
            guard let tables = element["data-collection"]?.string,
                let condition = element["filter"]?.string
            else {
                throw SignalError("an additional condition lacks `data-collection` or `filter`")
            }
            filters.append(Filter(tables: tables, condition: condition))
        }
        return filters
    }
}

/// Why something is no signal.
internal struct SignalError: Error, Equatable {
    internal var message: String
    internal init(_ message: String) { self.message = message }
}
