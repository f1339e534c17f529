internal import ConnectorSDK
internal import Glibc
internal import JSONRecords

/// Writes changes as records: the value as the JSON text of Debezium's envelope, of which the
/// cells are slices, the key as cells, and the headers.
internal final class RecordText {
    /// A change's rows, ready to be written.
    struct Rows {
        var before: UnsafePointer<Cell>?
        var after: UnsafePointer<Cell>?
        /// As the connector gave them, for the key.
        var given: (before: UnsafePointer<Cell>?, after: UnsafePointer<Cell>?)
        /// The row whose key a header tells, because this change is half of one of the key.
        var otherRow: UnsafePointer<Cell>?
        var header: Key.Header?
    }

    private let envelope: Envelope
    let output = OutputBuffer(capacity: 16 << 10)
    @exclusivity(unchecked) var conversion = ValueConversion()
    let oldRow = ScratchRow()
    let newRow = ScratchRow()
    let keyWriter = JSONRecordWriter()

    /// `,"snapshot":…` of the transaction, and of the snapshot.
    let moment = OutputBuffer(capacity: 512)
    let snapshotMoment = OutputBuffer(capacity: 512)
    /// `\"]","lsn":`, where a position is told twice.
    let between: Fragment?
    /// `,"transaction":{"id":"7:24023128","total_order":`, or empty.
    let told = OutputBuffer(capacity: 256)
    /// The start of the transaction mark's value, `24023128:`.
    let mark = OutputBuffer(capacity: 64)
    let clock = OutputBuffer(capacity: 64)
    @exclusivity(unchecked) private(set) var now: Int64 = 0

    init(_ envelope: Envelope) {
        self.envelope = envelope
        between = envelope.betweenPositions.map { Fragment($0) }
        refreshClock()
    }

    // MARK: - What many changes share

    func begin(_ transaction: CapturedTransaction, isTold: Bool) {
        moment.count = 0
        envelope.appendMoment(transaction, snapshot: "false", to: moment)
        mark.count = 0
        Self.append(transaction.sequence, to: mark)
        mark.append(UInt8(ascii: ":"))
        told.count = 0
        guard isTold else { return }
        told.append(#","transaction":{"id":""#)
        Self.append(transaction.id, to: told)
        told.append(UInt8(ascii: ":"))
        Self.append(transaction.sequence, to: told)
        told.append(#"","total_order":"#)
    }

    func beginSnapshot(_ kind: SnapshotKind, at transaction: CapturedTransaction) {
        snapshotMoment.count = 0
        envelope.appendMoment(transaction, snapshot: kind.rawValue, to: snapshotMoment)
    }

    /// Takes the time that changes are told to have been seen at.
    func refreshClock() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        now = Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
        clock.count = 0
        Self.append(UInt64(max(now, 0)), to: clock)
    }

    private static func append(_ number: UInt64, to output: OutputBuffer) {
        var cursor = TextCursor(output.reserve(TextCursor.numberLength))
        cursor.put(number: number)
        output.count += TextCursor.digits(of: number)
    }

    // MARK: - Rows

    /// The rows as they are told: without hidden columns, masked, in the forms asked for.
    @inline(__always)
    func rows(
        _ table: CapturedTable,
        _ before: UnsafePointer<Cell>?,
        _ after: UnsafePointer<Cell>?
    ) throws(ConnectorError) -> Rows {
        conversion.begin()
        var rows = Rows(before: before, after: after, given: (before, after))
        if let plans = table.plans {
            rows.before = before.map { project($0, plans, oldRow, nil) }
            rows.after = after.map { project($0, plans, newRow, table.placeholder) }
        }
        table.admit(rows.before, rows.after)
        return rows
    }

    private func project(
        _ cells: UnsafePointer<Cell>,
        _ plans: [ColumnPlan],
        _ row: ScratchRow,
        _ placeholder: String?
    ) -> UnsafePointer<Cell> {
        let target = row.cells(plans.count)
        for (column, plan) in plans.enumerated() {
            let cell = cells[plan.index]
            if cell.tag == .missing, let placeholder {
                target[column] = conversion.cell(placeholder)
            } else {
                target[column] = conversion.convert(cell, by: plan.conversion)
            }
        }
        return UnsafePointer(target)
    }
}
