public import ConnectorSDK
public import Testing

/// What every sink does.
///
/// Pass all cases as the arguments of one test, so that each failure has a name.
public enum SinkRequirement: String, CaseIterable, Sendable {
    /// Opening and closing without a record leaves nothing and harms nothing.
    case closesWithoutRecords
    /// A commit without records is harmless, and its offsets are kept.
    case emptyCommitIsHarmless
    /// What is committed is there, in order, after closing.
    case committedRecordsAreThereInOrder
    /// Records of a second instance come behind those of the first.
    case continuesAfterReopening
    /// After a failure a new instance, fed from the offsets it returns, doubles and loses
    /// nothing. (D2)
    case repeatAfterReopeningDoublesNothing
    /// A batch that is refused leaves nothing behind, and others go on.
    case rejectedBatchLeavesNothing
    /// Partitions have offsets of their own.
    case partitionsAreIndependent
}

/// A sink, and the records to try it with.
public struct SinkScenario {
    /// The topic of the records.
    public static let topic = "conformance"

    /// Makes a new instance over the same target.
    public var makeSink: () throws -> any SinkConnector
    /// Fills an empty batch of ``topic`` with the records of these numbers, in order.
    public var fill: (RecordBatch, Range<Int>) -> Void
    /// Makes one row of a batch impossible to write; `nil` if no record is.
    public var spoil: ((RecordBatch, Int) -> Void)?
    /// The numbers of the records that the target holds, after the sink was closed.
    public var contents: () throws -> [Int]

    /// Makes a scenario, whose target is empty.
    public init(
        makeSink: @escaping () throws -> any SinkConnector,
        fill: @escaping (RecordBatch, Range<Int>) -> Void,
        spoil: ((RecordBatch, Int) -> Void)? = nil,
        contents: @escaping () throws -> [Int]
    ) {
        self.makeSink = makeSink
        self.fill = fill
        self.spoil = spoil
        self.contents = contents
    }

    /// Checks one requirement, with a target that is empty.
    public func verify(
        _ requirement: SinkRequirement,
        sourceLocation place: SourceLocation = #_sourceLocation
    ) async throws {
        switch requirement {
        case .closesWithoutRecords:
            let sink = try makeSink()
            _ = try await sink.open([partition(0)])
            await sink.close()
            #expect(try contents().isEmpty, sourceLocation: place)
        case .emptyCommitIsHarmless: try await emptyCommit(place)
        case .committedRecordsAreThereInOrder: try await committed(place)
        case .continuesAfterReopening: try await continues(place)
        case .repeatAfterReopeningDoublesNothing: try await repeats(place)
        case .rejectedBatchLeavesNothing: try await rejects(place)
        case .partitionsAreIndependent: try await partitionsAreIndependent(place)
        }
    }

    private func partition(_ number: Int32) -> TopicPartition {
        TopicPartition(Self.topic, number)
    }

    /// Makes a batch of these records; their numbers are their offsets as well.
    public func batch(_ numbers: Range<Int>, partition: Int32 = 0) -> RecordBatch {
        let batch = RecordBatch()
        batch.reset(topic: Self.topic)
        fill(batch, numbers)
        for (row, number) in zip(batch.indices, numbers) {
            batch.metadata(row).pointee.offset = Int64(number)
            batch.metadata(row).pointee.partition = partition
            batch.metadata(row).pointee.timestamp = 1_700_000_000_000 + Int64(number)
        }
        return batch
    }

    private func emptyCommit(_ place: SourceLocation) async throws {
        let sink = try makeSink()
        _ = try await sink.open([partition(0)])
        try await sink.commit([partition(0): 7])
        try await sink.commit([partition(0): 7])
        try await sink.commit([:])
        await sink.close()
        let again = try makeSink()
        let offsets = try await again.open([partition(0)])
        if let offsets { #expect(offsets[partition(0)] == 7, sourceLocation: place) }
        await again.close()
        #expect(try contents().isEmpty, sourceLocation: place)
    }

    private func committed(_ place: SourceLocation) async throws {
        let sink = try makeSink()
        _ = try await sink.open([partition(0)])
        for start in stride(from: 0, to: 40, by: 10) {
            try await sink.write(batch(start..<start + 10))
        }
        try await sink.commit([partition(0): 40])
        await sink.close()
        #expect(try contents() == Array(0..<40), sourceLocation: place)
    }

    private func continues(_ place: SourceLocation) async throws {
        for start in stride(from: 0, to: 30, by: 10) {
            let sink = try makeSink()
            let offsets = try await sink.open([partition(0)])
            if let offsets, start > 0 {
                #expect(offsets[partition(0)] == Int64(start), sourceLocation: place)
            }
            try await sink.write(batch(start..<start + 10))
            try await sink.commit([partition(0): Int64(start) + 10])
            await sink.close()
        }
        #expect(try contents() == Array(0..<30), sourceLocation: place)
    }

    private func repeats(_ place: SourceLocation) async throws {
        let sink = try makeSink()
        _ = try await sink.open([partition(0)])
        try await sink.write(batch(0..<10))
        try await sink.commit([partition(0): 10])
        try await sink.write(batch(10..<25))
        await sink.close()
        let again = try makeSink()
        let offsets = try await again.open([partition(0)])
        // A sink without offsets of its own is fed from the last commit.
        let start = Int(offsets?[partition(0)] ?? 10)
        #expect((10...25).contains(start), sourceLocation: place)
        if start < 30 { try await again.write(batch(start..<30)) }
        try await again.commit([partition(0): 30])
        await again.close()
        let found = try contents()
        if offsets == nil {
            #expect(Set(found) == Set(0..<30), sourceLocation: place)
        } else {
            #expect(found == Array(0..<30), sourceLocation: place)
        }
    }

    private func rejects(_ place: SourceLocation) async throws {
        guard let spoil else { return }
        let sink = try makeSink()
        _ = try await sink.open([partition(0)])
        try await sink.write(batch(0..<10))
        let bad = batch(10..<20)
        spoil(bad, 5)
        do {
            try await sink.write(bad)
            Issue.record("The spoilt batch was taken.", sourceLocation: place)
        } catch {
            #expect(error.disposition == .rejectRecord, sourceLocation: place)
        }
        // The engine writes the parts around the record at fault.
        try await sink.write(batch(10..<15))
        try await sink.write(batch(16..<20))
        try await sink.commit([partition(0): 20])
        await sink.close()
        #expect(try contents() == Array(0..<15) + Array(16..<20), sourceLocation: place)
    }

    private func partitionsAreIndependent(_ place: SourceLocation) async throws {
        let sink = try makeSink()
        _ = try await sink.open([partition(0), partition(1)])
        try await sink.write(batch(0..<10))
        try await sink.write(batch(10..<20, partition: 1))
        try await sink.commit([partition(0): 10, partition(1): 20])
        await sink.close()
        let again = try makeSink()
        let offsets = try await again.open([partition(0), partition(1)])
        if let offsets {
            #expect(offsets == [partition(0): 10, partition(1): 20], sourceLocation: place)
        }
        await again.close()
        #expect(try contents().sorted() == Array(0..<20), sourceLocation: place)
    }
}
