public import ConnectorSDK
internal import Topics

/// What came of replaying dead letters.
public struct ReplayOutcome: Sendable {
    /// A dead letter that could not be put back, and stays.
    public struct Kept: Sendable {
        /// Its place in the dead letter topic.
        public var place: TopicPartition
        /// Its offset there.
        public var offset: Int64
        /// Why it stays.
        public var reason: ConnectorError
    }

    /// How many were put back.
    public var replayed = 0
    /// Those that were not.
    public var kept: [Kept] = []
}

extension DeadLetters {
    /// Finds the pipeline whose source rejected a record; throws why there is none.
    public typealias PipelineLookup = (DeadLetterContext) throws(ConnectorError) ->
        PipelineDefinition

    /// Puts dead letters back where they came from, oldest first in each partition.
    ///
    /// One that a sink rejected goes to the end of its partition, with its key, value, timestamp
    /// and own headers. One that a source rejected is read again, through the format, transforms
    /// and converters that the source has now, and goes where it would have gone. One that cannot
    /// be put back stays. (D6) Records and the marks that they were replayed are one commit, so
    /// that a crash in between doubles nothing. (D3)
    ///
    /// - Parameters:
    ///   - topic: the dead letter topic.
    ///   - selection: which of its dead letters.
    ///   - value: takes the place of the value, as a person has mended it; for one dead letter.
    ///   - catalog: what pipelines can name.
    ///   - pipeline: finds the configuration of sources.
    /// - Returns: how many were put back, and which were not.
    /// - Throws: what the store throws; what was put back before stays so.
    public func replay(
        _ topic: String,
        _ selection: DeadLetterSelection = DeadLetterSelection(),
        mended value: [UInt8]? = nil,
        catalog: PluginCatalog,
        pipeline: @escaping PipelineLookup
    ) throws(ConnectorError) -> ReplayOutcome {
        let producer = try store.makeProducer()
        defer { producer.close() }
        var pass = ReplayPass(
            selection: selection,
            mended: value,
            restorer: LetterRestorer(
                store: store,
                producer: producer,
                catalog: catalog,
                pipeline: pipeline
            )
        )
        for place in try places(of: topic, selection) where !pass.isOver {
            // What is added from now on is not looked at.
            let end = try store.offsets(of: place).end
            var handled = try handledOffsets(of: place)
            let reader = try openReader(place, selection, handled)
            let batch = RecordBatch()
            while !pass.isOver, reader.nextOffset < min(end, selection.end),
                try read(batch, from: reader, topic)
            {
                var unit = CommitUnit()
                for row in batch.indices where batch.metadata(row).pointee.offset < end {
                    let letter = Self.letter(batch, row, place)
                    try pass.replay(letter, &handled, into: &unit)
                }
                guard pass.hasHandled else { continue }
                pass.hasHandled = false
                // D3: the marks move with the records.
                Self.note(handled, of: place, in: &unit)
                let ticket = try producer.submit(unit)
                _ = try producer.waitUntilDurable(through: ticket, deadline: nil)
            }
        }
        return pass.outcome
    }
}

/// The work of one replay.
private struct ReplayPass {
    let selection: DeadLetterSelection
    let mended: [UInt8]?
    let restorer: LetterRestorer
    private(set) var outcome = ReplayOutcome()
    private var count = 0
    /// Whether something was handled that is not noted yet.
    var hasHandled = false

    init(selection: DeadLetterSelection, mended: [UInt8]?, restorer: LetterRestorer) {
        self.selection = selection
        self.mended = mended
        self.restorer = restorer
    }

    /// Whether there is nothing left to do.
    var isOver: Bool { count >= selection.limit }

    mutating func replay(
        _ found: DeadLetter,
        _ handled: inout HandledOffsets,
        into unit: inout CommitUnit
    ) throws(ConnectorError) {
        guard !isOver, selection.includes(found.offset), !handled.contains(found.offset) else {
            return
        }
        count += 1
        var letter = found
        if let mended { letter.mend(mended) }
        do throws(ConnectorError) {
            try restorer.restore(letter, into: &unit)
            handled.insert(letter.offset)
            hasHandled = true
            outcome.replayed += 1
        } catch {
            guard error.disposition == .rejectRecord else { throw error }
            outcome.kept.append(
                ReplayOutcome.Kept(place: letter.place, offset: letter.offset, reason: error)
            )
        }
    }
}

extension DeadLetter {
    /// Replaces the value by one that is whole.
    fileprivate mutating func mend(_ text: [UInt8]) {
        value = text
        context.isCut = false
    }
}
