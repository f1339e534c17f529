internal import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// What becomes of each row of the batch that is being unwrapped.
///
/// The columns of changes are replaced by those of rows, so what is needed of a change is noted
/// before.
internal final class UnwrapWork {
    private enum Outcome {
        case after, before, tombstone, pass, drop
    }

    private var outcomes: [Outcome] = []
    private var texts: [Cell] = []
    private var added: [Cell] = []
    private var addedCount = 0
    private let headers = OutputBuffer(capacity: 1 << 10)
    private var cells: [Cell] = []
    private let words: Chunk
    private let deletedWord: Cell
    private let presentWord: Cell

    init() {
        words = Chunk(copying: Array("falsetrue".utf8))
        let start = UnsafeRawPointer(words.base)
        presentWord = .slice(.string, UnsafeRawBufferPointer(start: start, count: 5))
        deletedWord = .slice(.string, UnsafeRawBufferPointer(start: start + 5, count: 4))
    }

    // MARK: - Noting

    /// Decides about every row, and takes those out of the batch that nothing becomes of.
    func begin(_ batch: RecordBatch, _ plan: UnwrapPlan, _ mode: Unwrap.DeleteMode) {
        outcomes.removeAll(keepingCapacity: true)
        texts.removeAll(keepingCapacity: true)
        added.removeAll(keepingCapacity: true)
        addedCount = plan.addedCount
        var deleted: Int?
        for row in batch.indices {
            let outcome = outcome(batch, row, plan, mode, after: deleted)
            deleted = outcome == .tombstone ? row : nil
            note(outcome, batch, row, plan)
        }
        guard outcomes.contains(.drop) else { return }
        let outcomes = outcomes
        batch.filter { outcomes[$0] != .drop }
        self.outcomes.removeAll { $0 == .drop }
    }

    private func outcome(
        _ batch: RecordBatch,
        _ row: Int,
        _ plan: UnwrapPlan,
        _ mode: Unwrap.DeleteMode,
        after deleted: Int?
    ) -> Outcome {
        if batch.metadata(row).pointee.isTombstone {
            // The deletion before it has become what it is.
            if mode == .tombstone, let deleted, hasSameKey(batch, deleted, row) { return .drop }
            return mode.keepsTombstones ? .pass : .drop
        }
        let operation = batch[row, plan.operation]
        guard operation.tag == .string, operation.length == 1, let code = operation.slice.first
        else { return .pass }
        switch code {
        case UInt8(ascii: "d"):
            switch mode {
            case .drop: return .drop
            case .tombstone, .deleteToTombstone: return .tombstone
            case .rewrite, .rewriteWithTombstone:
                let hasRow = plan.before.map { batch[row, $0].tag == .json } ?? false
                return hasRow ? .before : .tombstone
            }
        case UInt8(ascii: "t"): return .drop
        case UInt8(ascii: "c"), UInt8(ascii: "r"), UInt8(ascii: "u"): return .after
        default: return .pass
        }
    }

    private func hasSameKey(_ batch: RecordBatch, _ first: Int, _ second: Int) -> Bool {
        guard let schema = batch.keySchema, let left = batch.keyRow(first),
            let right = batch.keyRow(second)
        else { return false }
        return (0..<schema.count).allSatisfy { column in
            let one = left[column]
            let other = right[column]
            guard one.tag == other.tag, one.length == other.length else { return false }
            return one.isSlice
                ? one.slice.elementsEqual(other.slice)
                : one.bits == other.bits && one.scale == other.scale
        }
    }

    private func note(_ outcome: Outcome, _ batch: RecordBatch, _ row: Int, _ plan: UnwrapPlan) {
        outcomes.append(outcome)
        if outcome == .drop { return }
        switch outcome {
        case .after: texts.append(plan.after.map { batch[row, $0] } ?? .null)
        case .before: texts.append(plan.before.map { batch[row, $0] } ?? .null)
        default: texts.append(.null)
        }
        let isChange = outcome == .after || outcome == .before
        if isChange, !plan.fields.isEmpty {
            plan.fields.append(batch, row: row, to: &added)
        } else {
            for _ in 0..<plan.fields.fields.count { added.append(.missing) }
        }
        if plan.marksDeletions { added.append(outcome == .before ? deletedWord : presentWord) }
        if outcome != .pass, !plan.headers.isEmpty { addHeaders(batch, row, plan.headers) }
    }

    private func addHeaders(_ batch: RecordBatch, _ row: Int, _ parts: ChangeParts) {
        cells.removeAll(keepingCapacity: true)
        parts.append(batch, row: row, to: &cells)
        headers.count = 0
        let metadata = batch.metadata(row)
        headers.append(metadata.pointee.headers)
        let value = OutputBuffer(capacity: 256)
        for (index, cell) in cells.enumerated() where !cell.isNil {
            value.count = 0
            if cell.tag == .string {
                value.append(cell.slice)
            } else {
                JSONText.appendCell(cell, to: value)
            }
            let text = withExtendedLifetime(value) { String(decoding: value.bytes, as: UTF8.self) }
            HeaderWriter.append(parts.fields[index].name, text, to: headers)
            metadata.pointee.headerCount += 1
        }
        metadata.pointee.headers = batch.arena.copy(headers.bytes)
    }

    // MARK: - Unwrapping

    /// Whether the rows of a stretch, which is `part` now, are changes or what is left of them.
    func areChanges(_ stretch: Range<Int>, _ part: RecordBatch) -> Bool {
        stretch.contains { row in
            let isTombstone = part.metadata(row - stretch.lowerBound).pointee.isTombstone
            return isTombstone || outcomes[row] != .pass
        }
    }

    /// The rows in stretches that can have the same columns.
    func runs(of batch: RecordBatch, _ plan: UnwrapPlan) -> [Range<Int>] {
        let isUniform = plan.beforeRows === plan.afterRows
        /// Tombstones, of which `pass` are some, have no columns and go with any.
        func kind(_ row: Int) -> Outcome? {
            switch outcomes[row] {
            case .tombstone: nil
            case .pass: batch.metadata(row).pointee.isTombstone ? nil : .pass
            case .before: isUniform ? .after : .before
            case .after, .drop: .after
            }
        }
        var runs: [Range<Int>] = []
        var start = 0
        var current: Outcome?
        for row in batch.indices {
            guard let kind = kind(row) else { continue }
            if let current, current != kind {
                runs.append(start..<row)
                start = row
            }
            current = kind
        }
        if start < batch.count { runs.append(start..<batch.count) }
        return runs
    }

    /// Gives the rows of a stretch that begins at `start` their own columns.
    func unwrap(
        _ batch: RecordBatch,
        from start: Int,
        _ plan: UnwrapPlan,
        _ dropping: FieldDropping?
    ) -> [RecordBatch] {
        let stretch = start..<start + batch.count
        let isOld = outcomes[stretch].contains(.before) && !outcomes[stretch].contains(.after)
        let rows = isOld ? plan.beforeRows : plan.afterRows
        var result: [RecordBatch] = []
        var part = batch
        var first = start
        while true {
            let (rest, rejected) = read(part, from: first, rows)
            let next = first + part.count
            finish(part, from: first, rows, plan, dropping)
            part.reject(rejected)
            result.append(part)
            guard let rest else { return result }
            part = rest
            first = next
        }
    }

    /// Reads rows up to the first that needs other columns, which begins what is returned.
    private func read(
        _ batch: RecordBatch,
        from start: Int,
        _ rows: NestedRows
    ) -> (rest: RecordBatch?, rejected: [(row: Int, error: ConnectorError)]) {
        var rejected: [(row: Int, error: ConnectorError)] = []
        rows.begin(batch)
        for row in batch.indices {
            switch outcomes[start + row] {
            case .tombstone: batch.metadata(row).pointee.isTombstone = true
            case .pass, .drop: continue
            case .after, .before:
                switch rows.read(texts[start + row], into: batch, row: row) {
                case .read: continue
                case .refused(let error): rejected.append((row, error))
                case .conflict:
                    let rest = RecordBatch()
                    rest.copyRows(row..<batch.count, of: batch)
                    rest.retain(batch)
                    batch.removeLast(batch.count - row)
                    return (rest, rejected)
                }
            }
        }
        return (nil, rejected)
    }

    private func finish(
        _ batch: RecordBatch,
        from start: Int,
        _ rows: NestedRows,
        _ plan: UnwrapPlan,
        _ dropping: FieldDropping?
    ) {
        if addedCount > 0 {
            let first = batch.schema.count
            batch.widen(to: plan.widened(batch.schema))
            if plan.marksDeletions { batch.retain(words) }
            for row in batch.indices where !batch.metadata(row).pointee.isTombstone {
                let from = (start + row) * addedCount
                let cells = batch.row(row)
                for index in 0..<addedCount { cells[first + index] = added[from + index] }
            }
        }
        restoreKeys(batch, rows, plan)
        dropping?.apply(to: batch)
    }

    /// Keys come from a topic as JSON has them; the row's columns of the same names have types.
    private func restoreKeys(_ batch: RecordBatch, _ rows: NestedRows, _ plan: UnwrapPlan) {
        guard let keys = batch.keySchema, let typed = plan.typed(keys, by: rows) else { return }
        let width = keys.count
        cells.removeAll(keepingCapacity: true)
        for row in batch.indices {
            guard let key = batch.keyRow(row) else { return }
            for column in 0..<width { cells.append(key[column]) }
        }
        batch.addKeys(typed)
        for row in batch.indices {
            guard let key = batch.keyRow(row) else { return }
            for column in 0..<width {
                key[column] = cells[row * width + column]
                rows.restore(&key[column], named: keys.fields[column].name, in: batch)
            }
        }
    }
}
