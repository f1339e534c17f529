import ConnectorSDK
import JSONDocuments
import JSONRecords
import TableComparison

/// What `verify` found of one pair of tables.
struct VerifiedTable {
    private let topic: String
    private let source: String
    private let sink: String
    private let key: [String]
    private let onlyInSource: [String]
    private let onlyInSink: [String]
    var comparison = TableComparison()
    /// The differences that are left, as far as they are kept.
    var remaining: [TableDifference] = []
    var repaired = 0

    init(_ pair: TablePair, _ comparer: TableComparer) {
        topic = pair.topic
        source = pair.source.table.name
        sink = pair.target.name
        key = pair.source.table.key
        onlyInSource = comparer.onlyInSource
        onlyInSink = comparer.onlyInSink
    }

    var isEqual: Bool { remaining.isEmpty && !comparison.isCut }

    /// How many keys are left that differ in this way; all that were found when not all are kept.
    private func count(_ kind: TableDifference.Kind) -> Int {
        comparison.isCut && repaired == 0
            ? comparison.counts[kind, default: 0] : remaining.count { $0.kind == kind }
    }

    private static let kinds: [TableDifference.Kind] = [.missing, .extra, .different]

    func print(show: Int) throws {
        var output = StandardOutput()
        let counts = Self.kinds.map { (kind: $0, count: count($0)) }.filter { $0.count > 0 }
        let verdict =
            counts.isEmpty
            ? "equal" : counts.map { "\($0.count) \($0.kind.rawValue)" }.joined(separator: ", ")
        let repaired = self.repaired > 0 ? ", \(self.repaired) repaired" : ""
        try output.writeLine(
            "\(source) -> \(sink): \(comparison.sourceRows) rows in the source, "
                + "\(comparison.sinkRows) in the sink: \(verdict)\(repaired)"
        )
        if !onlyInSource.isEmpty {
            try output.writeLine(
                "  not compared, only in the source: \(onlyInSource.joined(separator: ", "))"
            )
        }
        if !onlyInSink.isEmpty {
            try output.writeLine(
                "  not compared, only in the sink: \(onlyInSink.joined(separator: ", "))"
            )
        }
        for difference in remaining.prefix(show) {
            let columns =
                difference.columns.isEmpty
                ? "" : "  (\(difference.columns.joined(separator: ", ")))"
            try output.writeLine(
                "  \(difference.kind.rawValue)  \(keyDocument(difference.key).text)\(columns)"
            )
        }
        let hidden = Self.kinds.reduce(0) { $0 + count($1) } - min(show, remaining.count)
        if hidden > 0 { try output.writeLine("  and \(hidden) more") }
        try output.flush()
    }

    func document(show: Int) -> JSONDocument {
        [
            "topic": .string(topic), "source": .string(source), "sink": .string(sink),
            "equal": .bool(isEqual),
            "sourceRows": .int(Int64(comparison.sourceRows)),
            "sinkRows": .int(Int64(comparison.sinkRows)),
            "missing": .int(Int64(count(.missing))), "extra": .int(Int64(count(.extra))),
            "different": .int(Int64(count(.different))), "repaired": .int(Int64(repaired)),
            "onlyInSource": .array(onlyInSource.map { .string($0) }),
            "onlyInSink": .array(onlyInSink.map { .string($0) }),
            "differences": .array(
                remaining.prefix(show).map { difference in
                    [
                        "kind": .string(difference.kind.rawValue),
                        "key": keyDocument(difference.key),
                        "columns": .array(difference.columns.map { .string($0) }),
                    ]
                }
            ),
        ]
    }

    private func keyDocument(_ values: [Value]) -> JSONDocument {
        .object(zip(key, values).map { ($0, .raw(Self.json($1))) })
    }

    /// A value as the json converter writes it.
    private static func json(_ value: Value) -> String {
        let batch = RecordBatch()
        batch.reset(topic: "", schema: Schema(["value"]))
        batch.appendRow()
        batch.set(0, "value", value)
        let output = OutputBuffer(capacity: 64)
        return JSONText.appendCell(batch[0, 0], to: output)
            ? String(decoding: output.bytes, as: UTF8.self) : "null"
    }
}
