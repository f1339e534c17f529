internal import ConnectorSDK

/// Takes batches from bytes to the sink: converters, transforms, `write`, and the search for the
/// record that a sink refuses.
final class SinkProcessor {
    /// What became of a batch.
    struct Result {
        /// Records written.
        var records = 0
        /// Bytes of all values that were read.
        var bytes = 0
        /// Records that were rejected, by offset.
        var rejections: [Rejection] = []
    }

    private let sink: any SinkConnector
    private let task: TaskEnvironment
    private let plugin: String
    private let converters: ConverterPair
    private let transforms: TransformChain
    private let needsFields: Bool
    private var rest = RecordBatch()
    private var otherRest = RecordBatch()
    private let part = RecordBatch()
    /// For a sink that takes records as topics hold them.
    private let wantsBytes: Bool
    private let keeper: RecordKeeper?

    init(_ sink: any SinkConnector, _ task: TaskEnvironment) throws(ConnectorError) {
        let configuration = task.plan.configuration
        self.sink = sink
        self.task = task
        plugin = task.plan.definition.plugin
        converters = try ConverterPair(configuration, catalog: task.catalog)
        let control = task.control
        transforms = try TransformChain(configuration, catalog: task.catalog) { control.isStopping }
        // Nothing is parsed that nobody reads.
        needsFields = sink.input == .fields || !transforms.isEmpty
        wantsBytes = sink.input == .opaque || sink.input == .bytes
        let keepsKeys = sink.input == .encoded || sink.input == .bytes
        keeper = keepsKeys && needsFields ? RecordKeeper(converters, .keep) : nil
    }

    /// Writes the records of one partition that `batch` holds as bytes.
    func process(_ batch: RecordBatch) async throws(ConnectorError) -> Result {
        var result = Result()
        for row in batch.indices {
            result.bytes &+= Int(batch.metadata(row).pointee.rawLength)
        }
        guard needsFields else {
            try await write(batch, &result)
            return result
        }
        batch.numberRows()
        keeper?.begin(batch)
        let values = wantsBytes ? batch.indices.map { batch[metadata: $0].raw } : []
        let origin = (topic: batch.topic, partition: batch.metadata(0).pointee.partition)
        try await convert(batch, &result)
        // Records that need another schema come back undecoded.
        while rest.count > 0 {
            swap(&rest, &otherRest)
            try await convert(otherRest, &result)
        }
        // A transform may have sent it elsewhere before it was rejected, and a value may have been
        // replaced by the bytes that the sink was to have.
        for index in result.rejections.indices {
            let sequence = Int(result.rejections[index].record.sequence)
            if sequence < values.count {
                result.rejections[index].record.value = Array(values[sequence])
            }
            result.rejections[index].record.topic = origin.topic
            result.rejections[index].record.partition = origin.partition
        }
        result.rejections.sort { $0.record.offset < $1.record.offset }
        RecordGroups.mergeByOffset(&result.rejections)
        return result
    }

    private func convert(
        _ batch: RecordBatch,
        _ result: inout Result
    ) async throws(ConnectorError) {
        rest.reset(topic: batch.topic)
        try converters.value.decodeValues(batch, rest: rest, schemas: task.store)
        take(batch, .value, type(of: converters.value).name, &result)
        if batch.keySchema != nil {
            try converters.key.decodeKeys(batch)
            take(batch, .key, type(of: converters.key).name, &result)
        }
        guard batch.count > 0 else { return }
        keeper?.noteDecoded(batch)
        let parts = try transforms.apply(batch, rejections: &result.rejections)
        let before = result.rejections.count
        for part in parts { try keeper?.finish(part) }
        if wantsBytes {
            for part in parts { try encode(part, &result) }
        }
        if result.rejections.count > before {
            RecordGroups.withdraw(from: parts, &result.rejections, after: before)
        }
        for part in parts { try await write(part, &result) }
    }

    private func take(
        _ batch: RecordBatch,
        _ stage: RecordStage,
        _ plugin: String,
        _ result: inout Result
    ) {
        for record in batch.takeRejections() {
            result.rejections.append(Rejection(record, stage, plugin: plugin))
        }
    }

    /// Makes bytes of transformed records, for a sink that takes no fields.
    private func encode(_ batch: RecordBatch, _ result: inout Result) throws(ConnectorError) {
        var values: [Cell] = [], keys: [Cell] = []
        var rejected: [(row: Int, error: ConnectorError)] = []
        let hasKeys = batch.keySchema != nil
        for row in batch.indices {
            do throws(ConnectorError) {
                let isTombstone = batch.metadata(row).pointee.isTombstone
                let value = isTombstone ? nil : try converters.value.encodeValue(batch, row: row)
                let key = hasKeys ? try converters.key.encodeKey(batch, row: row) : nil
                values.append(value.map { .slice(.bytes, batch.arena.copy($0)) } ?? .null)
                if hasKeys {
                    keys.append(key.map { .slice(.bytes, batch.arena.copy($0)) } ?? .null)
                }
            } catch {
                guard error.disposition == .rejectRecord else { throw error }
                rejected.append((row, error))
            }
        }
        batch.reject(rejected)
        take(batch, .value, type(of: converters.value).name, &result)
        batch.replaceValues(with: .opaque)
        if hasKeys { batch.addKeys(.opaque) }
        for row in batch.indices {
            batch[row, 0] = values[row]
            batch.metadata(row).pointee.raw = values[row].slice
            if hasKeys { batch.keyRow(row)?.pointee = keys[row] }
        }
    }

    // MARK: Writing

    private func write(_ batch: RecordBatch, _ result: inout Result) async throws(ConnectorError) {
        guard batch.count > 0 else { return }
        let count = batch.count
        let refused = try await Narrowing.write(batch, part: part, to: sink)
        let before = result.rejections.count
        if !refused.isEmpty { batch.reject(refused) }
        take(batch, .write, plugin, &result)
        result.records += count - (result.rejections.count - before)
    }
}

/// Finds the records that a sink refuses, by writing halves.
enum Narrowing {
    /// Writes a batch, whole or in parts; returns the rows that were refused, ascending.
    ///
    /// Parts are written in order and a refused record is passed over only when all before it are
    /// written, so that the order within the partition stays (D5). A refusal means that the part
    /// had no effect at all, so that no record is written twice. What one
    /// record became is one part: all of it is written, or nothing (D6). `part` is a batch to copy
    /// parts into.
    static func write(
        _ batch: RecordBatch,
        part: RecordBatch,
        to sink: any SinkConnector
    ) async throws(ConnectorError) -> [(row: Int, error: ConnectorError)] {
        let refusal: ConnectorError
        do throws(ConnectorError) {
            try await sink.write(batch)
            return []
        } catch {
            guard error.disposition == .rejectRecord else { throw error }
            refusal = error
        }
        var refused: [(row: Int, error: ConnectorError)] = []
        guard var open = halves(0..<batch.count, of: batch) else {
            return batch.indices.map { ($0, refusal) }
        }
        while let rows = open.popLast() {
            part.copyRows(rows, of: batch)
            do throws(ConnectorError) {
                try await sink.write(part)
                for record in part.takeRejections() { batch.reject(record) }
            } catch {
                guard error.disposition == .rejectRecord else { throw error }
                if let halves = halves(rows, of: batch) {
                    open += halves
                } else {
                    for row in rows { refused.append((row, error)) }
                }
            }
        }
        return refused
    }

    /// The second half, then the first: the order of a stack; `nil` when all is of one record.
    private static func halves(_ rows: Range<Int>, of batch: RecordBatch) -> [Range<Int>]? {
        func begins(_ row: Int) -> Bool {
            batch.metadata(row).pointee.offset != batch.metadata(row - 1).pointee.offset
        }
        var middle = rows.lowerBound + rows.count / 2
        while middle > rows.lowerBound, !begins(middle) { middle -= 1 }
        if middle == rows.lowerBound {
            middle += rows.count / 2 + 1
            while middle < rows.upperBound, !begins(middle) { middle += 1 }
            if middle >= rows.upperBound { return nil }
        }
        return [middle..<rows.upperBound, rows.lowerBound..<middle]
    }
}
