internal import ConnectorSDK

/// Applies a transform to the rows of a batch that meet a predicate, and keeps the order.
final class RowSelector {
    private let predicate: any Predicate
    private let negate: Bool
    private let selected = RecordBatch()
    private let merged = RecordBatch()

    init(_ predicate: any Predicate, negate: Bool) {
        self.predicate = predicate
        self.negate = negate
    }

    /// Returns the batches to go on with, in order.
    ///
    /// The rows are numbered, in ascending order. The result is one batch when the transformed
    /// rows and the others fit one schema without a change to the order of anyone's fields; else
    /// one for each run of rows of either kind.
    func apply(
        _ transform: any Transform,
        to batch: RecordBatch
    ) throws(ConnectorError) -> [RecordBatch] {
        var matches: [Bool] = []
        matches.reserveCapacity(batch.count)
        var rejected: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices {
            do throws(ConnectorError) {
                matches.append(try predicate.matches(batch, row: row) != negate)
            } catch {
                guard error.disposition == .rejectRecord else { throw error }
                rejected.append((row, error))
            }
        }
        batch.reject(rejected)
        let rejections = batch.takeRejections()
        defer { rejections.forEach { batch.reject($0) } }
        guard matches.contains(true) else { return [batch] }
        guard matches.contains(false) else {
            try transform.apply(batch)
            return [batch]
        }
        return try applyToSome(transform, batch, matches)
    }

    private func applyToSome(
        _ transform: any Transform,
        _ batch: RecordBatch,
        _ matches: [Bool]
    ) throws(ConnectorError) -> [RecordBatch] {
        selected.copyRows(batch.indices, of: batch)
        selected.filter { matches[$0] }
        batch.filter { !matches[$0] }
        try transform.apply(selected)
        let rejections = selected.takeRejections()
        defer { rejections.forEach { batch.reject($0) } }
        if batch.count == 0 { return [selected] }
        if selected.count == 0 { return [batch] }
        guard let fit = BatchMerge(batch, selected) else { return runs(batch, selected) }
        fit.merge(into: merged)
        return [merged]
    }

    /// Cuts both into runs of neighbouring rows.
    private func runs(_ left: RecordBatch, _ right: RecordBatch) -> [RecordBatch] {
        var result: [RecordBatch] = []
        var nextLeft = 0, nextRight = 0
        while nextLeft < left.count || nextRight < right.count {
            let takesLeft = BatchMerge.isNext(left, nextLeft, before: right, nextRight)
            let (source, start) = takesLeft ? (left, nextLeft) : (right, nextRight)
            var end = start
            while end < source.count,
                takesLeft
                    == BatchMerge.isNext(
                        left,
                        takesLeft ? end : nextLeft,
                        before: right,
                        takesLeft ? nextRight : end
                    )
            { end += 1 }
            let run = RecordBatch()
            run.copyRows(start..<end, of: source)
            result.append(run)
            if takesLeft { nextLeft = end } else { nextRight = end }
        }
        return result
    }
}

/// How two batches with different columns make one, their rows in order of `sequence`.
struct BatchMerge {
    private let left: RecordBatch
    private let right: RecordBatch
    private let schema: Schema
    private let leftColumns: [Int]
    private let rightColumns: [Int]

    /// `nil` when they do not fit: other topics, other keys, or fields in an order of their own.
    init?(_ left: RecordBatch, _ right: RecordBatch) {
        guard left.topic == right.topic, left.keySchema?.fields == right.keySchema?.fields else {
            return nil
        }
        guard !left.schema.isOpaque || left.schema === right.schema,
            !right.schema.isOpaque || left.schema === right.schema
        else { return nil }
        self.left = left
        self.right = right
        if left.schema === right.schema {
            schema = left.schema
        } else {
            guard let union = Self.union(left.schema, right.schema) else { return nil }
            schema = union
        }
        leftColumns = left.schema.names.map { [schema] in schema.index(of: $0) ?? 0 }
        rightColumns = right.schema.names.map { [schema] in schema.index(of: $0) ?? 0 }
    }

    /// A schema in which the fields of both stand in their own order.
    static func union(_ left: Schema, _ right: Schema) -> Schema? {
        var fields: [Field] = []
        var next = 0
        for field in right.fields {
            if let known = left.index(of: field.name) {
                guard known >= next else { return nil }
                fields += left.fields[next..<known]
                let same = left.fields[known]
                let type: FieldType = same.type == field.type ? same.type : .any
                fields.append(
                    Field(field.name, type, isOptional: same.isOptional || field.isOptional)
                )
                next = known + 1
            } else {
                fields.append(Field(field.name, field.type))
            }
        }
        fields += left.fields[next...]
        return Schema(fields)
    }

    static func isNext(
        _ left: RecordBatch,
        _ leftRow: Int,
        before right: RecordBatch,
        _ rightRow: Int
    ) -> Bool {
        guard leftRow < left.count else { return false }
        guard rightRow < right.count else { return true }
        return left.metadata(leftRow).pointee.sequence
            <= right.metadata(rightRow).pointee.sequence
    }

    func merge(into merged: RecordBatch) {
        merged.reset(topic: left.topic, schema: schema, keySchema: left.keySchema)
        merged.origin = left.origin
        var nextLeft = 0, nextRight = 0
        while nextLeft < left.count || nextRight < right.count {
            if Self.isNext(left, nextLeft, before: right, nextRight) {
                append(left, nextLeft, leftColumns, to: merged)
                nextLeft += 1
            } else {
                append(right, nextRight, rightColumns, to: merged)
                nextRight += 1
            }
        }
    }

    private func append(
        _ source: RecordBatch,
        _ row: Int,
        _ columns: [Int],
        to merged: RecordBatch
    ) {
        let target = merged.appendRow()
        let cells = merged.row(target), sourceCells = source.row(row)
        for (from, to) in columns.enumerated() { cells[to] = sourceCells[from] }
        if let key = merged.keyRow(target), let sourceKey = source.keyRow(row) {
            key.update(from: sourceKey, count: source.keySchema?.count ?? 0)
        }
        merged.metadata(target).pointee = source.metadata(row).pointee
    }
}
