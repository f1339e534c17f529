internal import ConnectorSDK

/// Applies a transform to the rows of a batch that meet a predicate, and keeps the order.
final class RowSelector {
    private let predicate: any Predicate
    private let negate: Bool

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
            let parts = try transform.split(batch)
            for part in parts { part.retain(batch) }
            return parts
        }
        return try applyToSome(transform, batch, matches)
    }

    private func applyToSome(
        _ transform: any Transform,
        _ batch: RecordBatch,
        _ matches: [Bool]
    ) throws(ConnectorError) -> [RecordBatch] {
        // New ones, since what was returned for another batch may still be in use.
        let selected = RecordBatch()
        selected.copyRows(batch.indices, of: batch)
        selected.retain(batch)
        selected.filter { matches[$0] }
        batch.filter { !matches[$0] }
        let parts = try transform.split(selected)
        var rejections = selected.takeRejections()
        for part in parts where part !== selected {
            rejections += part.takeRejections()
            part.retain(selected)
        }
        defer { rejections.forEach { batch.reject($0) } }
        if batch.count == 0 { return parts }
        guard parts.count == 1 else { return parts.isEmpty ? [batch] : runs([batch] + parts) }
        if parts[0].count == 0 { return [batch] }
        guard let fit = BatchMerge(batch, parts[0]) else { return runs([batch] + parts) }
        let merged = RecordBatch()
        fit.merge(into: merged)
        merged.retain(batch)
        merged.retain(parts[0])
        return [merged]
    }

    /// Cuts all into runs of rows that follow each other.
    private func runs(_ batches: [RecordBatch]) -> [RecordBatch] {
        var result: [RecordBatch] = []
        var next = batches.map { _ in 0 }
        while let first = Self.earliest(batches, next) {
            let source = batches[first]
            let start = next[first]
            repeat { next[first] += 1 } while Self.earliest(batches, next) == first
            let run = RecordBatch()
            run.copyRows(start..<next[first], of: source)
            run.retain(source)
            result.append(run)
        }
        return result
    }

    /// The batch with the row that comes before those of the others; `nil` when all are at their
    /// ends.
    private static func earliest(_ batches: [RecordBatch], _ next: [Int]) -> Int? {
        var best: Int?
        for index in batches.indices where next[index] < batches[index].count {
            let sequence = batches[index].metadata(next[index]).pointee.sequence
            if let best, batches[best].metadata(next[best]).pointee.sequence <= sequence {
                continue
            }
            best = index
        }
        return best
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
        guard left.topic == right.topic, left.keySchema?.fields == right.keySchema?.fields,
            left.keySchema?.isWhole == right.keySchema?.isWhole
        else { return nil }
        // A value that is no object would become one beside others.
        guard left.schema === right.schema || !left.schema.isWhole && !right.schema.isWhole else {
            return nil
        }
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
        let isSame = left.name == right.name && left.version == right.version
        return isSame ? left.with(fields) : Schema(fields)
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
