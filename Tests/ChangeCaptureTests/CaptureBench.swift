import ConnectorSDK
import ConnectorTesting

@testable import ChangeCapture

/// A stream into memory, and short ways to write changes to it.
final class CaptureBench {
    let outlet: RecordingOutlet
    let stream: ChangeStream
    private let memory = RecordBatch()

    init(_ values: [String: String] = [:], source: CaptureSource = .database) throws {
        let settings = try CaptureSettings(
            Configuration(["topic.prefix": "shop"].merging(values) { $1 })
        )
        outlet = RecordingOutlet(for: SilentSource())
        stream = ChangeStream(settings, of: source, into: outlet)
    }

    /// `id`, `name` and `price` of `public.orders`, keyed by `id`.
    func orders(
        _ columns: [CapturedColumn] = [
            CapturedColumn("id", .int64, isOptional: false), CapturedColumn("name", .string),
            CapturedColumn("price", .decimal(precision: 10, scale: 2)),
        ],
        namespace: String? = "public",
        name: String = "orders",
        key: [Int] = [0],
        enforcesTypes: Bool = true
    ) throws -> CapturedTable {
        try CapturedTable(
            namespace: namespace,
            name: name,
            columns: columns,
            primaryKey: key,
            enforcesTypes: enforcesTypes,
            in: stream
        )
    }

    func begin(_ number: UInt64 = 7, resumingAfter changes: UInt64 = 0) {
        let transaction = CapturedTransaction(
            sequence: number * 100,
            id: number,
            microseconds: 1_700_000_000_123_456
        )
        stream.begin(transaction, resumingAfter: changes)
    }

    func append(
        _ operation: ChangeOperation,
        _ table: CapturedTable,
        before: [Value]? = nil,
        after: [Value]? = nil,
        at position: UInt64 = 11
    ) {
        let old = before.map { $0.map(memory.makeCell) }
        let new = after.map { $0.map(memory.makeCell) }
        func call(_ old: UnsafePointer<Cell>?, _ new: UnsafePointer<Cell>?) {
            stream.append(operation, to: table, before: old, after: new, at: position)
        }
        switch (old, new) {
        case (let old?, let new?):
            old.withUnsafeBufferPointer { old in
                new.withUnsafeBufferPointer { call(old.baseAddress, $0.baseAddress) }
            }
        case (let old?, nil): old.withUnsafeBufferPointer { call($0.baseAddress, nil) }
        case (nil, let new?): new.withUnsafeBufferPointer { call(nil, $0.baseAddress) }
        case (nil, nil): call(nil, nil)
        }
    }

    /// Sends what was appended, and returns it.
    func send() async throws -> [CapturedRecord] {
        let count = outlet.records.count
        try await stream.send(position: SourcePosition(partition: "log", offset: "1"))
        return Array(outlet.records.dropFirst(count))
    }
}

extension CaptureSource {
    static let database = CaptureSource(
        connector: "postgresql",
        database: "shop",
        defaultSchema: "public",
        positionField: "lsn",
        hasSequence: true
    )
    static let file = CaptureSource(
        connector: "sqlite",
        database: "shop.db",
        positionField: "change_id",
        hasSequence: false
    )
}

extension CapturedRecord {
    /// A header's text.
    func header(_ name: String) -> String? {
        headers.first { $0.key == name }?.value.map { String(decoding: $0, as: UTF8.self) }
    }

    /// `c`, `u`, `d`, `r`, `t`, or `-` for a tombstone.
    var operation: String {
        if isTombstone { return "-" }
        guard case .string(let text) = self["op"] else { return "?" }
        return text
    }

    /// The JSON text of a field.
    func json(_ name: String) -> String? {
        switch self[name] {
        case .json(let text): text
        case .null: "null"
        default: nil
        }
    }
}

/// Does nothing.
private final class SilentSource: SourceConnector {
    static let name = "silent"
    static let summary = "Does nothing."
    static let configuration = ConfigSpec()
    let isBounded = true

    init() {}
    init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {}

    func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {}

    func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {}
}
