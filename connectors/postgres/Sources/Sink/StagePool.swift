/// The temporary tables in which rows wait to be taken into their table.
///
/// Each is empty when it is handed out: a commit empties those that were used. They stay for the
/// session, because making one costs more than filling it.
internal struct StagePool {
    private struct Stage {
        var name: String
        var definition: String
        var isUsed = false
    }

    /// So many of one definition; then the first is emptied within the transaction. (D7)
    private static let perDefinition = 16
    /// So many in all; then they are dropped before the next transaction. (D7)
    private static let limit = 64

    private var stages: [Stage] = []
    private var serial = 0
    /// Those that were used at the mark, and how many there were.
    private var marked: (used: Set<String>, count: Int) = ([], 0)

    /// An empty table: its name, and the statement that must come first if there is one.
    ///
    /// It has the columns of the query `definition`.
    internal mutating func take(
        for definition: String
    ) -> (preparation: String?, name: String) {
        let places = stages.indices.filter { stages[$0].definition == definition }
        if let free = places.first(where: { !stages[$0].isUsed }) {
            stages[free].isUsed = true
            return (nil, stages[free].name)
        }
        if places.count >= Self.perDefinition {
            let names = places.map { stages[$0].name }
            for place in places.dropFirst() { stages[place].isUsed = false }
            return ("TRUNCATE \(names.joined(separator: ", "))", names[0])
        }
        serial += 1
        let name = "__millrace_\(serial)"
        stages.append(Stage(name: "pg_temp.\(name)", definition: definition, isUsed: true))
        let creation =
            "CREATE TEMP TABLE \(name) ON COMMIT DELETE ROWS AS \(definition) WITH NO DATA"
        return (creation, "pg_temp.\(name)")
    }

    /// Takes note of a savepoint.
    internal mutating func mark() {
        marked = (Set(stages.filter(\.isUsed).map(\.name)), stages.count)
    }

    /// Takes note that the transaction went back to the savepoint, and what was made since with it.
    internal mutating func backToMark() {
        stages.removeLast(max(stages.count - marked.count, 0))
        for place in stages.indices {
            stages[place].isUsed = marked.used.contains(stages[place].name)
        }
    }

    /// Takes note of a commit, with which the rows went.
    internal mutating func committed() {
        for place in stages.indices { stages[place].isUsed = false }
    }

    /// The statement that drops the tables when there are too many; they are forgotten.
    internal mutating func takeSurplus() -> String? {
        guard stages.count > Self.limit else { return nil }
        defer { stages.removeAll() }
        return "DROP TABLE \(stages.map(\.name).joined(separator: ", "))"
    }
}
