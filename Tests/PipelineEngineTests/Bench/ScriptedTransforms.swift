import ConnectorSDK

/// Adds a field `seen` to every record; rejects those whose `fail` is true, drops those whose
/// `drop` is.
final class MarkTransform: Transform {
    static let name = "Mark"
    static let summary = "Adds a field."
    private static let field = ConfigKey<String>.string("field", default: "seen", help: "Its name.")
    static let configuration = ConfigSpec().with(field)

    private let field: String

    init(configuration: Configuration) throws(ConnectorError) {
        field = try configuration.get(Self.field)
    }

    func apply(_ batch: RecordBatch) throws(ConnectorError) {
        let names = batch.schema
        var rejected: [(row: Int, error: ConnectorError)] = []
        if let column = names.index(of: "fail") {
            for row in batch.indices where batch[row, column].tag == .bool {
                let error = ConnectorError(
                    .init("mark.failed"),
                    .rejectRecord,
                    "It cannot be marked."
                )
                if batch[row, column].bits == 1 { rejected.append((row, error)) }
            }
        }
        batch.reject(rejected)
        if let column = names.index(of: "drop") {
            batch.filter { batch[$0, column].bits != 1 }
        }
        for row in batch.indices { batch.set(row, field, .bool(true)) }
    }
}

/// Drops every record.
final class DropTransform: Transform {
    static let name = "Drop"
    static let summary = "Drops every record."
    static let configuration = ConfigSpec()

    init(configuration: Configuration) throws(ConnectorError) {}

    func apply(_ batch: RecordBatch) throws(ConnectorError) { batch.filter { _ in false } }
}

/// Sends the numbers to topics by the rest of their division by 3.
final class ScatterTransform: Transform {
    static let name = "Scatter"
    static let summary = "Makes three batches of one."
    static let configuration = ConfigSpec()

    init(configuration: Configuration) throws(ConnectorError) {}

    func apply(_ batch: RecordBatch) throws(ConnectorError) {}

    func split(_ batch: RecordBatch) throws(ConnectorError) -> [RecordBatch] {
        (0..<3 as Range<Int64>).map { rest in
            let part = RecordBatch()
            part.copyRows(batch.indices, of: batch)
            part.filter { part[$0, 0].int64 % 3 == rest }
            // In memory of its own, which must outlive what later steps make of it.
            for row in part.indices { part.set(row, "text", .string("long enough: \(rest)")) }
            part.topic = "t\(rest)"
            return part
        }
    }
}

/// Holds for records whose field `n` is even.
final class EvenPredicate: Predicate {
    static let name = "Even"
    static let summary = "Holds for even numbers."
    static let configuration = ConfigSpec()

    init(configuration: Configuration) throws(ConnectorError) {}

    func matches(_ batch: RecordBatch, row: Int) throws(ConnectorError) -> Bool {
        guard case .int(let number) = batch.value(row, "n") else {
            throw ConnectorError(.init("even.no_number"), .rejectRecord, "The record has no `n`.")
        }
        return number % 2 == 0
    }
}
