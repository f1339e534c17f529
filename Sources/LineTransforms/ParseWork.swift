internal import ConnectorSDK
internal import JSONRecords
internal import RecordFields
internal import TextParsing

/// Takes the lines of batches apart, in place.
internal final class ParseWork {
    private let parser: any LineParser
    private let syslog: SyslogLineParser?
    private let format: ParseFormat
    private let settings: ParseSettings
    private var plan: ParsePlan?
    // What of the plan is asked for with every row, taken out of it: copying it would count the
    // references to all that is in it.
    private var columns: [Int] = []
    private var lineColumn: Int?
    private var targetColumn: Int?
    private var nestedPlace: FieldPlace?
    private var lines: [Cell] = []
    private var rejected: [(row: Int, error: ConnectorError)] = []

    // What is known of the parser's fields; they may become more with each line.
    private var fieldCount = -1
    private var generation = -1
    private var conversions: [(field: Int, conversion: ParseTypes.Conversion)] = []
    private var timeField: Int?
    private var nestedSchema = Schema([Field]())
    private let writer = JSONRecordWriter()
    private let output = OutputBuffer(capacity: 1 << 10)

    init(parser: any LineParser, format: ParseFormat, settings: ParseSettings) {
        self.parser = parser
        syslog = parser as? SyslogLineParser
        self.format = format
        self.settings = settings
    }

    /// Says which fields there are, where the format fixes those of lines.
    func trace(_ outline: inout RecordOutline) {
        settings.trace(&outline, fieldsOfLines: parser.fields.names)
    }

    func apply(_ batch: RecordBatch) throws(ConnectorError) {
        parser.begin(batch)
        guard try prepare(batch) else { return }
        let now = RecordTime.now()
        rejected.removeAll(keepingCapacity: true)
        for row in batch.indices where !batch.metadata(row).pointee.isTombstone {
            if let reason = take(row, of: batch, now) {
                fail(row, of: batch, reason)
            }
        }
        batch.reject(rejected)
    }

    // MARK: Columns

    /// Notes the lines and gives the batch its columns; `false` when it has no lines.
    private func prepare(_ batch: RecordBatch) throws(ConnectorError) -> Bool {
        if plan?.source !== batch.schema || generation != parser.fields.generation {
            plan = ParsePlan(batch.schema, settings)
        }
        guard plan != nil else {
            refuse(batch)
            return false
        }
        learnFields(batch, isPrepared: false)
        guard let plan else { return false }
        lineColumn = plan.line
        targetColumn = plan.target
        nestedPlace = plan.place.flatMap { $0.isNested ? $0 : nil }
        lines.removeAll(keepingCapacity: true)
        for row in batch.indices {
            let cells = batch.row(row)
            lines.append(plan.place.map { $0.read(cells, in: batch) ?? .missing } ?? cells.pointee)
        }
        if plan.source.isOpaque {
            batch.replaceValues(with: plan.schema)
        } else if plan.origins.prefix(plan.source.count).elementsEqual(plan.source.fields.indices) {
            batch.widen(to: plan.schema)
        } else {
            batch.project(to: plan.schema, from: plan.origins)
        }
        return true
    }

    private func refuse(_ batch: RecordBatch) {
        let path = settings.field
        let error = ConnectorError(
            .parse,
            .rejectRecord,
            path.map { "The records have no field \($0)." }
                ?? "The records have fields, so the one that holds the line must be named.",
            at: "field",
            hint: path == nil ? "Set `field`, or read lines: `format: lines`." : nil
        )
        let rows = batch.indices.filter { !batch.metadata($0).pointee.isTombstone }
        batch.reject(rows.map { ($0, error) })
    }

    /// Follows the parser's fields.
    private func learnFields(_ batch: RecordBatch, isPrepared: Bool) {
        let fields = parser.fields
        if plan?.extend(for: fields.names) == true, isPrepared, let schema = plan?.schema {
            batch.widen(to: schema)
        }
        columns = plan?.columns ?? []
        guard fieldCount != fields.count || generation != fields.generation else { return }
        fieldCount = fields.count
        generation = fields.generation
        conversions.removeAll()
        timeField = nil
        for (index, field) in fields.names.enumerated() {
            if let conversion = settings.types.conversions[field.name] {
                conversions.append((index, conversion))
            }
            if field.name == settings.time?.field { timeField = index }
        }
        if settings.target != nil { nestedSchema = Schema(fields.names) }
    }

    // MARK: Lines

    /// Takes the line of a row apart; returns why it does not fit.
    @inline(__always)
    private func take(_ row: Int, of batch: RecordBatch, _ now: Int64) -> String? {
        let line = lines[row]
        guard line.tag == .string || line.tag == .bytes else {
            return line.isNil ? "there is no line" : "the line is no text"
        }
        if line.tag == .bytes, let offset = JSONRecordParser.firstInvalidUTF8(line.slice) {
            return "the line is not UTF-8 (byte \(offset + 1))"
        }
        let received = RecordTime.received(batch.metadata(row).pointee, now: now)
        if let syslog { syslog.receivedAt = received }
        if let problem = parser.parse(line.slice, in: batch) {
            return "\(problem.reason) (byte \(problem.offset + 1))"
        }
        let fields = parser.fields
        if fieldCount != fields.count || generation != fields.generation {
            learnFields(batch, isPrepared: true)
        }
        if !conversions.isEmpty || settings.time != nil {
            if let reason = refine(row, of: batch, received) { return reason }
        }
        return store(row, of: batch)
    }

    /// Gives fields their types, and the record its time.
    private func refine(_ row: Int, of batch: RecordBatch, _ received: Int64) -> String? {
        let cells = parser.fields.cells
        for (field, conversion) in conversions {
            guard
                let cell = settings.types.convert(
                    cells[field],
                    by: conversion,
                    near: received,
                    in: batch
                )
            else { return "the field \(parser.fields.names[field].name) is not of its type" }
            cells[field] = cell
        }
        guard let time = settings.time else { return nil }
        guard let timeField, !cells[timeField].isNil else {
            return "it has no field \(time.field), which is to tell the time"
        }
        guard let millis = time.read(cells[timeField], near: received) else {
            return "the field \(time.field) is no time as timestamp.format has it"
        }
        batch.metadata(row).pointee.timestamp = millis
        return nil
    }

    @inline(__always)
    private func store(_ row: Int, of batch: RecordBatch) -> String? {
        let fields = parser.fields, cells = batch.row(row)
        if let lineColumn { cells[lineColumn] = settings.keepsLine ? text(lines[row]) : .missing }
        if let nestedPlace, !settings.keepsLine { nestedPlace.remove(cells, in: batch) }
        guard let targetColumn else {
            columns.withUnsafeBufferPointer { columns in
                for index in 0..<columns.count where fields.cells[index].tag != .missing {
                    cells[columns[index]] = fields.cells[index]
                }
            }
            return nil
        }
        output.count = 0
        do throws(ConnectorError) {
            try writer.writeObject(fields.cells, of: nestedSchema, into: output)
        } catch {
            return "its values cannot be nested: \(error.message)"
        }
        cells[targetColumn] = .slice(.json, batch.arena.copy(output.bytes))
        return nil
    }

    /// What is known to be UTF-8 is text.
    private func text(_ line: Cell) -> Cell {
        line.tag == .bytes ? .slice(.string, line.slice) : line
    }

    private func fail(_ row: Int, of batch: RecordBatch, _ reason: String) {
        if settings.onError == .keep {
            guard let lineColumn else { return }
            let isText = JSONRecordParser.isValidUTF8(lines[row].slice)
            batch.row(row)[lineColumn] = isText ? text(lines[row]) : lines[row]
            return
        }
        let error = ConnectorError(
            .parse,
            .rejectRecord,
            "The line does not fit the format \(format.rawValue): \(reason)."
        )
        rejected.append((row, error))
    }
}

extension ConnectorError.Code {
    /// A line does not have the format that it is to have.
    internal static let parse = Self("transform.parse")
}
