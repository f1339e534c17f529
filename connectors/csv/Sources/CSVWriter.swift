import ConnectorSDK
import JSONRecords

/// Writes records as rows under one header row.
///
/// The same settings read back what was written: text that a reader would take for a number or
/// for null is quoted, and so is empty text, since an empty cell is null.
final class CSVWriter: RecordWriter {
    private let settings: CSVSettings
    private let text: CSVText
    private var names: [String] = []
    private var plan: Plan?

    /// Where a schema's fields go.
    private struct Plan {
        let schema: Schema
        /// For each column of the file the field's column in the batch, or -1.
        let sources: [Int]
        /// The fields that have no column in the file.
        let surplus: [Int]
    }

    init(_ settings: CSVSettings) {
        self.settings = settings
        text = CSVText(settings)
        names = settings.columns
    }

    func begin(_ batch: RecordBatch, into output: OutputBuffer) throws(ConnectorError) {
        try checkHasFields(batch)
        if settings.columns.isEmpty { names = batch.schema.names }
        plan = nil
        guard settings.hasHeader else { return }
        var cursor = CSVOutput(output)
        for (index, name) in names.enumerated() {
            if index > 0 { cursor.put(settings.dialect.delimiter) }
            // In a chunk, so that there are readable bytes behind the name.
            let chunk = Chunk(copying: Array(name.utf8))
            let isWritten = text.append(
                UnsafeRawBufferPointer(chunk.bytes),
                to: &cursor,
                isHeader: true
            )
            guard isWritten else { throw .csvNeedsQuotes(name) }
        }
        cursor.put(0x0A)
        cursor.commit()
    }

    func write(
        _ batch: RecordBatch,
        rows: Range<Int>,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        try checkHasFields(batch)
        let plan = currentPlan(batch.schema)
        let text = text
        // Until it commits, nothing of the batch is in the output.
        var cursor = CSVOutput(output)
        let start = output.count
        for row in rows {
            do throws(ConnectorError) {
                try write(batch.row(row), plan, text, to: &cursor)
            } catch {
                output.count = start
                throw error
            }
        }
        cursor.commit()
    }

    func end(into output: OutputBuffer) throws(ConnectorError) {}

    private func checkHasFields(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.schema.isOpaque else { return }
        throw ConnectorError(
            .csvInexpressible,
            .rejectRecord,
            "The records are plain bytes, not fields that could be columns.",
            hint: "Choose a `value.converter` that reads fields, such as `json`."
        )
    }

    private func currentPlan(_ schema: Schema) -> Plan {
        if let plan, plan.schema === schema { return plan }
        let sources = names.map { schema.index(of: $0) ?? -1 }
        let surplus = schema.fields.indices.filter { !names.contains(schema.fields[$0].name) }
        let made = Plan(schema: schema, sources: sources, surplus: surplus)
        plan = made
        return made
    }

    @inline(__always)
    private func write(
        _ cells: UnsafeMutablePointer<Cell>,
        _ plan: Plan,
        _ text: CSVText,
        to output: inout CSVOutput
    ) throws(ConnectorError) {
        for column in plan.surplus where cells[column].tag != .missing {
            let fields = plan.surplus.filter { cells[$0].tag != .missing }
            throw .csvSurplus(fields.map { plan.schema.fields[$0].name })
        }
        var isFirst = true
        for source in plan.sources {
            if !isFirst { output.put(text.delimiter) }
            isFirst = false
            guard source >= 0, !text.append(cells[source], to: &output) else { continue }
            let name = plan.schema.fields[source].name
            throw cells[source].isSlice ? .csvNeedsQuotes(name) : .csvNoText(name)
        }
        output.put(0x0A)
    }
}

extension ConnectorError {
    fileprivate static func csvSurplus(_ names: [String]) -> Self {
        let shown = names.prefix(8).map { "`\($0)`" }.joined(separator: ", ")
        let rest = names.count > 8 ? " and \(names.count - 8) more" : ""
        return Self(
            .csvInexpressible,
            .rejectRecord,
            "The file has no column for the fields \(shown)\(rest).",
            hint: """
                By default the first record names the columns: list them all in `columns`, or drop \
                the fields with a ReplaceField transform.
                """
        )
    }

    fileprivate static func csvNoText(_ name: String) -> Self {
        Self(
            .csvInexpressible,
            .rejectRecord,
            "The field `\(name)` holds a date or time that cannot be written as text."
        )
    }

    fileprivate static func csvNeedsQuotes(_ name: String) -> Self {
        Self(
            .csvInexpressible,
            .rejectRecord,
            "The field `\(name)` holds a delimiter or a line end, and `quote` is `none`.",
            at: "quote",
            hint: "Allow a `quote` or an `escape` character."
        )
    }
}
