public import ConnectorSDK
internal import RecordTemplates

/// Takes batches apart by the tables that their records go to.
///
/// One value serves one task.
public struct TableRouter {
    /// How records of several tables follow each other.
    public enum Grouping: Sendable {
        /// Table after table, each with its records in their order: few parts.
        case byTable
        /// In the order of the batch: a part for each change of tables, for targets in which one
        /// table's rows need another's, such as those with foreign keys.
        case inOrder
    }

    /// The records of a batch that go to one table, in their order.
    public struct Part {
        /// The table's name as it is to be quoted.
        public let table: String
        fileprivate let whole: RecordBatch
        fileprivate let scratch: RecordBatch
        /// `nil` for all.
        fileprivate var rows: [Int]?

        /// The records: the batch itself where all go to one table, else copies of its rows.
        ///
        /// Valid until the batch of another part is asked for; the memory that its cells point to
        /// is the whole batch's.
        public var batch: RecordBatch {
            guard let rows else { return whole }
            scratch.copyRows(rows, of: whole)
            return scratch
        }
    }

    private let dialect: TableDialect
    private let grouping: Grouping
    private let isConstant: Bool
    private var renderer: TemplateRenderer
    private let scratch = RecordBatch()
    private var names: [[UInt8]: String] = [:]
    /// More names than this are forgotten, so that they do not pile up. (D7)
    private static let nameLimit = 1_024

    /// Makes a router.
    public init(_ settings: TableSinkSettings, grouping: Grouping = .byTable) {
        dialect = settings.dialect
        self.grouping = grouping
        isConstant = settings.tableName.isConstantInPartition
        renderer = TemplateRenderer(settings.tableName, .verbatim)
    }

    /// The parts of a batch of one partition; nothing is copied where all records go to one table.
    ///
    /// - Throws: a rejection, when a record has no table, or one with a name that the database
    ///   cannot have. (D9)
    public mutating func parts(of batch: RecordBatch) throws(ConnectorError) -> [Part] {
        guard batch.count > 0 else { return [] }
        var parts: [Part] = []
        var places: [String: Int] = [:]
        var row = 0
        while row < batch.count {
            let name = try name(batch, row)
            let end = row + (isConstant ? batch.count : renderer.runLength(batch, from: row))
            if row == 0, end == batch.count {
                return [Part(table: name, whole: batch, scratch: scratch, rows: nil)]
            }
            if grouping == .inOrder, parts.last?.table == name {
                parts[parts.count - 1].rows?.append(contentsOf: row..<end)
            } else if grouping == .byTable, let place = places[name] {
                parts[place].rows?.append(contentsOf: row..<end)
            } else {
                places[name] = parts.count
                parts.append(
                    Part(table: name, whole: batch, scratch: scratch, rows: Array(row..<end))
                )
            }
            row = end
        }
        if parts.count == 1 { parts[0].rows = nil }
        return parts
    }

    private mutating func name(_ batch: RecordBatch, _ row: Int) throws(ConnectorError) -> String {
        if let lacking = renderer.render(batch, row: row) {
            throw .unmapped(
                "table_name",
                "The record has no \(lacking), which the name of its table is made of.",
                hint: "Choose another table.name.format, or filter such records out."
            )
        }
        if let known = names[renderer.bytes] { return known }
        guard let name = String(validating: renderer.bytes, as: UTF8.self) else {
            throw .unmapped("table_name", "The name of the record's table is not UTF-8.")
        }
        if let problem = dialect.problem(ofName: name) {
            throw .unmapped("table_name", "The name of the record's table \(problem).")
        }
        if names.count >= Self.nameLimit { names.removeAll() }
        names[renderer.bytes] = name
        return name
    }
}
