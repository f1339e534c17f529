public import ConnectorSDK
internal import Topics

extension DeadLetters {
    /// Puts dead letters back where they came from, at most `limit`, oldest first.
    ///
    /// Each goes to the end of its topic, with its key, value, timestamp and own headers; one that
    /// a sink rejected goes to its partition again. Records and the mark that they were replayed
    /// are one commit, so that a crash in between doubles nothing. (D3)
    ///
    /// - Returns: how many.
    @discardableResult
    public func replay(_ topic: String, limit: Int = .max) throws(ConnectorError) -> Int {
        let producer = try store.makeProducer()
        defer { producer.close() }
        var targets: [String: TopicTarget] = [:]
        var count = 0
        for place in try places(of: topic) where count < limit {
            let reader = try openReader(place)
            let batch = RecordBatch()
            while count < limit {
                batch.reset(topic: topic)
                guard try reader.read(into: batch) > 0 else { break }
                var unit = CommitUnit()
                var next: Int64 = 0
                for row in batch.indices where count < limit {
                    let letter = Self.letter(batch, row, place)
                    let target = try target(of: letter, &targets, producer)
                    try Self.append(letter, to: target, &unit)
                    next = letter.offset + 1
                    count += 1
                }
                for target in targets.values { try target.finishAll(into: &unit) }
                // D3: the mark moves with the records.
                unit.groupOffsets.append((Self.group, place, next))
                let ticket = try producer.submit(unit)
                _ = try producer.waitUntilDurable(through: ticket, deadline: nil)
            }
        }
        return count
    }

    private func target(
        of letter: DeadLetter,
        _ targets: inout [String: TopicTarget],
        _ producer: any TopicProducer
    ) throws(ConnectorError) -> TopicTarget {
        guard let name = letter.context.topic else {
            throw ConnectorError(
                .init("dlq.no_context"),
                .failTask,
                "\(letter.place), offset \(letter.offset): the record does not say where it came "
                    + "from, so that it cannot be put back.",
                hint: "It was written with `errors.deadletterqueue.context.headers.enable: false`. "
                    + "Discard it to go on with the next."
            )
        }
        if let known = targets[name] { return known }
        guard let topic = try store.describe(name) else {
            throw ConnectorError(
                .init("dlq.no_topic"),
                .failTask,
                "\(letter.place), offset \(letter.offset): it came from the topic `\(name)`, which "
                    + "does not exist any more.",
                hint: "Create the topic, or discard the dead letter."
            )
        }
        let target = TopicTarget(topic, producer: producer, strategy: .sticky)
        targets[name] = target
        return target
    }

    private static func append(
        _ letter: DeadLetter,
        to target: TopicTarget,
        _ unit: inout CommitUnit
    ) throws(ConnectorError) {
        var headers: [UInt8] = []
        for header in letter.headers {
            RecordHeaders.append(header.key, header.value, to: &headers)
        }
        let headerBytes = Chunk(copying: headers)
        let key = letter.key.map { Chunk(copying: $0) }
        let value = letter.value.map { Chunk(copying: $0) }
        var metadata = RecordMetadata()
        metadata.timestamp = letter.timestamp
        metadata.headers = UnsafeRawBufferPointer(headerBytes.bytes)
        metadata.headerCount = UInt32(letter.headers.count)
        // A topic made anew may have fewer partitions; the key then decides.
        let partition = letter.context.partition ?? -1
        metadata.partition = partition < target.topic.partitions ? partition : -1
        try target.append(
            metadata,
            key: key.map { UnsafeRawBufferPointer($0.bytes) },
            value: value.map { UnsafeRawBufferPointer($0.bytes) },
            to: &unit
        )
        // The addresses above are of these objects' memory.
        withExtendedLifetime((headerBytes, key, value)) {}
    }
}
