public import ConnectorSDK
public import Testing

/// What the reader and the writer of every format do.
public enum FormatRequirement: String, CaseIterable, Sendable {
    /// Input without a byte has no records and is no error.
    case emptyInputHasNoRecords
    /// The records are the same however the bytes arrive.
    case readsTheSameHoweverTheInputIsSplit
    /// A new reader goes on behind every record.
    case resumesBehindEveryRecord
    /// A new reader goes on where a full batch ended.
    case resumesBehindEveryBatch
    /// A record's text, as a dead letter holds it, gives the same record when read by itself.
    case readsEveryRecordByItself
    /// Offsets, lines and the position never go back.
    case positionsAscend
    /// What is written from records is read back as the same records.
    case writesWhatItReads
    /// Writing in pieces gives the same bytes as writing at once.
    case writesTheSameHoweverTheBatchIsSplit
}

/// A format, and input for it.
public struct FormatScenario {
    /// Makes the format.
    public var makeFormat: () throws -> any RecordFormat
    /// Makes input of so many records, all of them good and different.
    public var makeInput: (Int) -> [UInt8]
    /// Whether records can be written; not every format has a writer.
    public var canWrite: Bool

    /// Makes a scenario.
    public init(
        canWrite: Bool = true,
        format makeFormat: @escaping () throws -> any RecordFormat,
        input makeInput: @escaping (Int) -> [UInt8]
    ) {
        self.canWrite = canWrite
        self.makeFormat = makeFormat
        self.makeInput = makeInput
    }

    /// Checks one requirement.
    public func verify(
        _ requirement: FormatRequirement,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        switch requirement {
        case .emptyInputHasNoRecords:
            let reading = try FormatReading(makeFormat(), [])
            #expect(reading.records.isEmpty, sourceLocation: sourceLocation)
            #expect(reading.rejections.isEmpty, sourceLocation: sourceLocation)
        case .readsTheSameHoweverTheInputIsSplit: try readsSplitInput(sourceLocation)
        case .resumesBehindEveryRecord: try resumesBehindRecords(sourceLocation)
        case .resumesBehindEveryBatch: try resumesBehindBatches(sourceLocation)
        case .readsEveryRecordByItself: try readsRecordsAlone(sourceLocation)
        case .positionsAscend: try positionsAscend(sourceLocation)
        case .writesWhatItReads: try writesWhatItReads(sourceLocation)
        case .writesTheSameHoweverTheBatchIsSplit: try writesSplitBatches(sourceLocation)
        }
    }

    private func readsSplitInput(_ place: SourceLocation) throws {
        let input = makeInput(20)
        let whole = try FormatReading(makeFormat(), input)
        #expect(whole.records.count == 20, sourceLocation: place)
        for size in [1, 2, 3, 7, 16, 61] {
            let split = try FormatReading(makeFormat(), input, pieces: size)
            #expect(split.records == whole.records, "pieces of \(size)", sourceLocation: place)
        }
    }

    private func resumesBehindRecords(_ place: SourceLocation) throws {
        let input = makeInput(12)
        let whole = try FormatReading(makeFormat(), input).records
        #expect(whole.count == 12, sourceLocation: place)
        for (index, record) in whole.enumerated() where index > 0 && record.offset > 0 {
            // The input ends where the next record begins, which may be an error by itself.
            let start = Array(input.prefix(Int(record.offset)))
            let first = try FormatReading(makeFormat(), start, toleratesErrors: true)
            let rest = try FormatReading(makeFormat(), input, from: first.positions.last)
            #expect(
                (first.records + rest.records).map(\.fields) == whole.map(\.fields),
                "resumed behind record \(index)",
                sourceLocation: place
            )
            #expect(rest.records.map(\.line) == whole.dropFirst(index).map(\.line))
        }
    }

    private func resumesBehindBatches(_ place: SourceLocation) throws {
        let count = RecordBatch.rowLimit * 2 + 1_000
        let input = makeInput(count)
        let whole = try FormatReading(makeFormat(), input)
        #expect(whole.records.count == count, sourceLocation: place)
        for (position, done) in zip(whole.positions, whole.counts) {
            let rest = try FormatReading(makeFormat(), input, from: position)
            #expect(
                rest.records == Array(whole.records.dropFirst(done)),
                "resumed behind \(done) records",
                sourceLocation: place
            )
        }
    }

    private func readsRecordsAlone(_ place: SourceLocation) throws {
        let whole = try FormatReading(makeFormat(), makeInput(12))
        for (record, text) in zip(whole.records, whole.texts) where !text.isEmpty {
            let alone = try FormatReading(
                makeFormat(),
                record: text,
                context: whole.recordContext
            )
            #expect(alone.records.map(\.fields) == [record.fields], sourceLocation: place)
            #expect(alone.rejections.isEmpty, sourceLocation: place)
        }
    }

    private func positionsAscend(_ place: SourceLocation) throws {
        let reading = try FormatReading(makeFormat(), makeInput(RecordBatch.rowLimit * 2))
        for (first, second) in zip(reading.records, reading.records.dropFirst()) {
            #expect(first.offset <= second.offset, sourceLocation: place)
            #expect(first.line <= second.line, sourceLocation: place)
        }
        for (first, second) in zip(reading.positions, reading.positions.dropFirst()) {
            #expect(first.byte <= second.byte, sourceLocation: place)
            #expect(first.record <= second.record, sourceLocation: place)
        }
        #expect(reading.positions.last?.record == Int64(reading.records.count))
    }

    private func writesWhatItReads(_ place: SourceLocation) throws {
        guard canWrite else { return }
        let input = makeInput(50)
        let records = try FormatReading(makeFormat(), input).records
        let written = try FormatReading.rewrite(makeFormat(), input, rowsAtATime: .max)
        let again = try FormatReading(makeFormat(), written).records
        #expect(again.map(\.fields) == records.map(\.fields), sourceLocation: place)
    }

    private func writesSplitBatches(_ place: SourceLocation) throws {
        guard canWrite else { return }
        let input = makeInput(50)
        let whole = try FormatReading.rewrite(makeFormat(), input, rowsAtATime: .max)
        for size in [1, 7] {
            let split = try FormatReading.rewrite(makeFormat(), input, rowsAtATime: size)
            #expect(split == whole, "\(size) rows at a time", sourceLocation: place)
        }
    }
}
