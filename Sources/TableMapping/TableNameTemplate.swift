public import ConnectorSDK

/// The name of a table with places to be filled: `${topic}` and `${partition}`.
public struct TableNameTemplate: Sendable {
    private enum Part: Sendable {
        case text(String)
        case topic
        case partition
    }

    private var parts: [Part] = []

    /// Reads a template.
    public init(_ format: String) throws(ConnectorError) {
        var rest = format[...]
        while let dollar = rest.firstIndex(of: "$") {
            let tail = rest[dollar...]
            guard tail.hasPrefix("${"), let end = tail.firstIndex(of: "}") else {
                guard tail.hasPrefix("${") else {
                    parts.append(.text(String(rest[...dollar])))
                    rest = rest[rest.index(after: dollar)...]
                    continue
                }
                throw .invalid("table.name.format", "A `${` has no closing `}`.")
            }
            parts.append(.text(String(rest[..<dollar])))
            parts.append(try Self.place(tail[..<end].dropFirst(2)))
            rest = tail[tail.index(after: end)...]
        }
        parts.append(.text(String(rest)))
        if format.isEmpty { throw .invalid("table.name.format", "The value must not be empty.") }
        if format.utf8.contains(0) {
            throw .invalid("table.name.format", "The value must not contain a NUL character.")
        }
    }

    private static func place(_ name: Substring) throws(ConnectorError) -> Part {
        switch name {
        case "topic": return .topic
        case "partition": return .partition
        default:
            throw .invalid(
                "table.name.format",
                "`${\(name)}` stands for nothing.",
                hint: "There are `${topic}` and `${partition}`."
            )
        }
    }

    fileprivate func name(topic: String, partition: Int32) -> String {
        var name = ""
        for part in parts {
            switch part {
            case .text(let text): name += text
            case .topic: name += topic
            case .partition: name += String(partition)
            }
        }
        return name
    }
}

/// Takes batches apart by the tables that their records go to.
public struct TableRouter {
    /// The records of a batch that go to one table, in their order.
    public struct Part {
        /// The table's name as it is to be quoted.
        public var table: String
        /// The records; must not be used any more when the batch they come from is not.
        public var batch: RecordBatch
    }

    private let template: TableNameTemplate
    private let dialect: TableDialect
    private var last: (topic: String, partition: Int32, name: String)?

    /// Makes a router.
    public init(_ settings: TableSinkSettings) {
        template = settings.tableName
        dialect = settings.dialect
    }

    /// The parts of a batch; nothing is copied where all records go to one table.
    ///
    /// - Throws: a rejection, when a record's table has a name that the database cannot have. (D9)
    public mutating func parts(of batch: RecordBatch) throws(ConnectorError) -> [Part] {
        guard batch.count > 0 else { return [] }
        let partition = batch[metadata: 0].partition
        if let last, last.topic == batch.topic, last.partition == partition {
            return [Part(table: last.name, batch: batch)]
        }
        let name = template.name(topic: batch.topic, partition: partition)
        if let problem = dialect.problem(ofName: name) {
            throw .unmapped("table_name", "The name of the record's table \(problem).")
        }
        last = (batch.topic, partition, name)
        return [Part(table: name, batch: batch)]
    }
}
