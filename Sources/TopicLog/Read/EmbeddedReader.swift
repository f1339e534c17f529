internal import ConnectorSDK
internal import Topics

/// Reads one partition of the embedded store, whole batches at a time.
internal final class EmbeddedReader: PartitionReader {
    /// Read at once when the next batch's length is not known yet: a full batch and a bit.
    private static let firstRead = (1 << 20) + (128 << 10)
    /// Batches smaller than this are read several at a time.
    private static let smallBatch = 256 << 10
    /// A longer batch is read only when what should follow it looks like a batch. (D9)
    private static let plausibleLength = 64 << 20

    private let data: DataDirectory
    private let topic: Topic
    private let log: PartitionLog
    private let decoder: RecordBatchDecoder
    private var pool: [Chunk] = []
    private var segment: Segment?
    private var file: LogFile?
    /// The file position of the first byte that the decoder has loaded.
    private var loadedPosition: Int64 = 0
    /// How many bytes the decoder has loaded.
    private var loadedCount = 0

    internal init(
        _ data: DataDirectory,
        topic: Topic,
        log: PartitionLog,
        from offset: Int64
    ) {
        self.data = data
        self.topic = topic
        self.log = log
        decoder = RecordBatchDecoder(partition: log.id.partition, from: offset)
    }

    internal var nextOffset: Int64 { decoder.nextOffset }

    internal func seek(to offset: Int64) throws(ConnectorError) {
        decoder.seek(to: offset)
        segment = nil
        file = nil
        loadedPosition = 0
        loadedCount = 0
    }

    internal func read(into batch: RecordBatch) throws(ConnectorError) -> Int {
        let view = try data.view(of: log, topic: topic, beyond: decoder.nextOffset)
        let first = batch.count
        do throws(ConnectorError) {
            var isFresh = true
            while decoder.nextOffset < view.highWatermark {
                // D4: nothing at or above the high watermark is decoded.
                _ = try decoder.decode(into: batch, upTo: view.highWatermark)
                if batch.count >= RecordBatch.rowLimit { break }
                if decoder.nextOffset >= view.highWatermark { break }
                // What was read at once is a batch; more would exceed its byte limit.
                if batch.count > first, !isFresh { break }
                try loadMore(view)
                isFresh = false
            }
        } catch {
            if batch.count == first { throw named(error) }
        }
        return batch.count - first
    }

    /// Loads the next whole batch or batches into the decoder.
    private func loadMore(_ view: PartitionView) throws(ConnectorError) {
        while true {
            guard let segment, let file else {
                try open(holding: decoder.nextOffset, view)
                continue
            }
            let position = loadedPosition + Int64(decoder.consumed)
            let rest = segment.size - position
            if rest > 0 {
                // A whole batch is loaded, and begins past the high watermark: there is a gap.
                if loadedPosition == position, decoder.neededLength <= loadedCount {
                    throw missing("the records up to \(view.highWatermark - 1) are missing")
                }
                return try load(from: file, at: position, upTo: segment.size)
            }
            guard let next = nextSegment(after: segment, view) else {
                throw missing("the records up to \(view.highWatermark - 1) are missing")
            }
            try open(next, view)
        }
    }

    private func nextSegment(after current: Segment, _ view: PartitionView) -> Segment? {
        let holding = view.segment(holding: decoder.nextOffset)
        // Compaction may have replaced the segment that was read by one that reaches further.
        if let holding, holding !== current, holding.baseOffset <= decoder.nextOffset {
            return holding
        }
        return view.segment(after: current.baseOffset)
    }

    private func open(holding offset: Int64, _ view: PartitionView) throws(ConnectorError) {
        guard let segment = view.segment(holding: offset) else {
            throw missing("there is no segment")
        }
        try open(segment, view)
    }

    private func open(_ next: Segment, _ view: PartitionView) throws(ConnectorError) {
        let offset = decoder.nextOffset
        // D6: a gap that compaction has not made is a loss, and never silent.
        if next.baseOffset > max(offset, view.cleanedOffset) {
            throw missing("the records up to \(next.baseOffset - 1) are missing")
        }
        do throws(FileFailure) {
            let opened = try LogFile.open(next.logPath)
            file = opened
            segment = next
            loadedPosition = SegmentIndex.position(of: offset, in: next, log: opened)
            loadedCount = 0
            decoder.seek(to: offset)
        } catch {
            guard error.isMissing else { throw error.asConnectorError }
            // Retention or compaction has removed the file since `view` was taken.
            let fresh = try data.freshView(of: log, topic: topic, for: offset)
            guard let replacement = fresh.segment(holding: offset), replacement !== next,
                replacement.baseOffset != next.baseOffset || replacement.size != next.size
            else { throw missing("the file \(next.logPath) is missing") }
            try open(replacement, fresh)
        }
    }

    private func load(
        from file: LogFile,
        at position: Int64,
        upTo end: Int64
    ) throws(ConnectorError) {
        let rest = Int(clamping: end - position)
        let needed = decoder.neededLength
        if needed > rest { throw missing("its last batch is cut off") }
        if needed > Self.plausibleLength { try checkLength(needed, file, position, end) }
        var wanted = min(rest, Self.firstRead)
        if needed > RecordBatchHeader.prefixLength {
            let isSmall = needed < Self.smallBatch
            // The prefix of the batch after it tells how much to read next time.
            let one = needed + RecordBatchHeader.prefixLength
            wanted = min(rest, isSmall ? RecordBatch.byteLimit : one)
        }
        let chunk = takeChunk(wanted)
        let target = UnsafeMutableRawBufferPointer(start: chunk.base, count: wanted)
        do throws(FileFailure) {
            let count = try file.read(into: target, at: position)
            guard count >= min(needed, wanted), count > 0 else {
                throw FileFailure("read", file.path, 0)
            }
            decoder.load(chunk, 0..<count)
            loadedPosition = position
            loadedCount = count
        } catch {
            if error.code == 0 { throw missing("its segment file ends too early") }
            throw error.asConnectorError
        }
    }

    /// Whether a batch of an unusual length is one: it ends where the segment does, or where
    /// another batch begins.
    private func checkLength(
        _ length: Int,
        _ file: LogFile,
        _ position: Int64,
        _ end: Int64
    ) throws(ConnectorError) {
        let next = position + Int64(length)
        if next == end { return }
        let bytes = (try? file.bytes(next..<next + Int64(RecordBatchHeader.length))) ?? []
        let header = bytes.withUnsafeBytes { RecordBatchHeader($0) }
        guard let header, header.baseOffset > decoder.nextOffset else {
            throw missing("its length cannot be")
        }
    }

    private func takeChunk(_ capacity: Int) -> Chunk {
        for index in pool.indices
        where pool[index].capacity >= capacity && isKnownUniquelyReferenced(&pool[index]) {
            return pool[index]
        }
        let granule = 64 << 10
        let chunk = Chunk(capacity: (capacity + granule - 1) / granule * granule)
        pool.removeAll { $0.capacity < chunk.capacity / 2 || $0.capacity > chunk.capacity * 2 }
        if pool.count >= 4 { pool.removeFirst() }
        pool.append(chunk)
        return chunk
    }

    private func missing(_ what: String) -> ConnectorError {
        .corrupt(log.id, offset: decoder.nextOffset, what)
    }

    /// Adds the topic to an error of the decoder, which does not know it.
    private func named(_ error: ConnectorError) -> ConnectorError {
        guard error.code == .topicCorrupt, !error.message.hasPrefix(log.id.topic) else {
            return error
        }
        var named = error
        named.message = "\(log.id): \(error.message)"
        return named
    }
}
