import ConnectorSDK

/// Keeps unpaid orders above a limit, and says what is owed.
final class Overdue: RecordTransform {
    static let name = "Overdue"
    static let summary = "Keeps unpaid orders above a limit, and says what is owed."

    static let limit = ConfigKey.int("limit", default: 0, in: 0...1_000_000, help: "The limit.")
    static let configuration = ConfigSpec().with(limit)

    private let limit: Double

    init(configuration: Configuration) throws(ConnectorError) {
        limit = Double(try configuration.get(Self.limit))
    }

    func trace(_ outline: inout RecordOutline) {
        for name in ["status", "amount"] { outline.need([name], at: "type") }
        outline.value.add(Field("owed"))
    }

    func transform(_ record: RecordView) throws(ConnectorError) -> Bool {
        guard record["status"] != "paid", record["amount"] > limit else { return false }
        record.set("owed", record["amount"].value)
        return true
    }
}
