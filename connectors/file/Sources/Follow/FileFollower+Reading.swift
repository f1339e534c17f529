internal import ConnectorSDK
internal import FileSystem
internal import Logging
internal import TextEncoding

extension FileFollower {
    /// Reads what there is, each file a block at a time.
    func readAll() async throws(ConnectorError) {
        while !ready.isEmpty, !outlet.isStopping {
            place()
            for id in ready.sorted() {
                guard let file = files[id] else {
                    ready.remove(id)
                    continue
                }
                // The lines of a rotated file come before those of the one that took its name.
                if let previous = file.predecessor, ready.contains(previous) { continue }
                file.predecessor = nil
                // Reading may show that it goes on elsewhere, and then it is ready again.
                ready.remove(id)
                if try await read(file) { ready.insert(id) }
                if outlet.isStopping { return }
            }
            if context.untilEnd, isAtEnd { return }
            try await look()
        }
        try await finishDrained()
        try await finishWaiting()
    }

    /// Places contents behind the older ones of their families that are to be read.
    private func place() {
        let new = unplaced.intersection(ready)
        unplaced.removeAll()
        guard !new.isEmpty else { return }
        // What is written to a file without a name is not noticed, and comes before what is new.
        ready.formUnion(draining)
        for (id, predecessor) in rotation.order(of: new, toRead: ready) {
            files[id]?.predecessor = predecessor
        }
    }

    /// Reads one block of a file.
    ///
    /// - Returns: whether there may be more.
    func read(
        _ file: FollowedFile,
        finish: LineCutter.Finish = .nothing
    ) async throws(ConnectorError) -> Bool {
        reads += 1
        file.lastUse = reads
        guard file.position.error == nil, try await open(file) else { return false }
        if file.archive != nil { return try await readArchive(file) }
        guard let opened = file.file else { return false }
        guard let block = try readBlock(file, opened) else {
            close(file)
            try await perform(rotation.rewritten(file.id))
            return false
        }
        if block.start == 0, try await !begins(file, block.bytes) { return false }
        var isDone = false
        while !isDone {
            let batch = takeBatch()
            batch.origin = file.position.path
            batch.retain(chunk)
            let window = block.window(from: file.cutter.windowStart)
            isDone = file.cutter.cut(window, into: batch)
            if isDone, block.isLast {
                file.cutter.finish(finish, block.bytes, at: block.start, into: batch)
            }
            if file.cutter.place.byte != file.position.place.byte {
                file.position.end = block.end(before: file.cutter.place.byte)
            }
            try await send(batch, file, block.information)
        }
        if block.isLast { noteRest(file) }
        return !block.isLast
    }

    /// Bytes of a file, from where its cutter needs them.
    private struct Block {
        /// The bytes before the start that were read as well, to compare, and all others.
        var whole: UnsafeRawBufferPointer
        var lead: Int
        /// The offset of the first byte behind the lead.
        var start: Int64
        /// Whether the file ended with it.
        var isLast: Bool
        var information: FileInformation

        var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: whole[lead...]) }

        func window(from offset: Int64) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: whole[(lead + Int(offset - start))...])
        }

        /// What lies before a place.
        func end(before place: Int64) -> FileFingerprint {
            let count = max(0, lead + Int(place - start))
            return ContentEnd(UnsafeRawBufferPointer(rebasing: whole[..<count])).fingerprint
        }
    }

    /// Reads the next bytes; `nil` when the file does not hold any more what was read of it.
    private func readBlock(
        _ file: FollowedFile,
        _ opened: OpenFile
    ) throws(ConnectorError) -> Block? {
        try reportingToEngine { () throws(FileSystemError) in
            let information = try opened.information()
            guard information.size >= file.cutter.scanned else { return nil }
            if !file.isVerified, file.position.start.length > 0 {
                let start = try opened.bytes(at: 0, count: file.position.start.length)
                guard file.position.start.agrees(with: start) == true else { return nil }
            }
            file.isVerified = true
            if context.untilEnd, file.goal == nil { file.goal = information.size }
            file.position.size = max(file.position.size, information.size)
            let place = file.position.place.byte
            let start = file.cutter.windowStart
            let mark = file.position.end
            // One read brings what was read before and what is new, so that both are of one time.
            let lead = start == place ? mark.length : 0
            if lead == 0, mark.length > 0 {
                let before = try opened.bytes(at: place - Int64(mark.length), count: mark.length)
                guard mark.covers(before) else { return nil }
            }
            let seen = Int(file.cutter.scanned - start)
            let wanted = lead + seen + Self.blockSize
            takeChunk(wanted)
            let room = UnsafeMutableRawBufferPointer(rebasing: chunk.bytes[..<wanted])
            let count = try opened.read(at: start - Int64(lead), into: room)
            guard count >= lead + seen, lead == 0 || mark.covers(room[..<lead]) else {
                return nil
            }
            // Written over meanwhile, it would be the beginning of one content and the end of another.
            let first = room[..<min(count, ContentEnd.limit)]
            let again = try opened.bytes(at: start - Int64(lead), count: first.count)
            guard again.elementsEqual(first) else { return nil }
            rotation.confirmed(file.id, size: information.size, isRead: count < wanted)
            let block = Block(
                whole: UnsafeRawBufferPointer(rebasing: room[..<count]),
                lead: lead,
                start: start,
                isLast: count < wanted,
                information: information
            )
            if start == 0 {
                // Nothing before it says that it is still the same; what was seen of it may.
                let first = ContentStart(Array(block.bytes.prefix(ContentStart.limit)))
                if seen > 0, file.position.start.agrees(with: first) == false { return nil }
                file.position.start = first
            } else {
                file.position.start.extend(block.bytes, at: start)
            }
            rotation.begins(file.id, file.position.start)
            return block
        }
    }

    /// Sends what was cut, with the place behind it. (D3)
    private func send(
        _ batch: RecordBatch,
        _ file: FollowedFile,
        _ information: FileInformation
    ) async throws(ConnectorError) {
        file.position.place = file.cutter.place
        guard batch.count > 0 || !batch.rejections.isEmpty else {
            batch.reset(topic: settings.topic)
            spare = batch
            return
        }
        if !settings.headers.isEmpty {
            let headers = FileHeaderWriter(
                settings.headers,
                path: file.position.path,
                information: information
            )
            headers.add(to: batch)
            for var rejection in batch.takeRejections() {
                headers.add(to: &rejection)
                batch.reject(rejection)
            }
        }
        try await outlet.send(batch, position: file.stored)
    }

    private func takeBatch() -> RecordBatch {
        if let batch = spare {
            spare = nil
            return batch
        }
        return outlet.makeBatch(topic: settings.topic, schema: .opaque)
    }

    /// Makes ``chunk`` one that nobody else uses, with enough room.
    private func takeChunk(_ count: Int) {
        let usual = Self.blockSize + ContentEnd.limit
        // One that a long line has made larger is let go afterwards. (D7)
        let isFit = chunk.capacity >= count && (chunk.capacity == usual || count > usual)
        guard !isFit || !isKnownUniquelyReferenced(&chunk) else { return }
        chunk = Chunk(capacity: max(usual, count))
    }

    /// Passes over a byte order mark; gives a file up whose characters are no bytes.
    ///
    /// - Returns: whether it can be read.
    private func begins(
        _ file: FollowedFile,
        _ start: UnsafeRawBufferPointer
    ) async throws(ConnectorError) -> Bool {
        guard file.cutter.place.byte == 0 else { return true }
        let (charset, mark) = Charset.auto.resolve(start.prefix(Charset.markLength))
        guard charset == .utf8 else {
            close(file)
            try await give(
                up: file,
                ConnectorError(
                    .init("file.charset"),
                    .rejectRecord,
                    "It is \(charset.rawValue.uppercased()), and only what ends its lines with a "
                        + "single byte can be followed.",
                    hint: "Have it written as UTF-8, or read it when it is complete: without "
                        + "`follow`."
                )
            )
            return false
        }
        file.cutter.skip(mark)
        return true
    }

    // MARK: Compressed files

    /// So much is passed over at most before other files are looked at.
    private static let skipSize = 8 << 20

    private func readArchive(_ file: FollowedFile) async throws(ConnectorError) -> Bool {
        guard let archive = file.archive else { return false }
        file.isIncomplete = false
        do throws(ConnectorError) {
            return try await readArchive(file, archive)
        } catch {
            guard error.kind == .runtime, error.code.rawValue.hasPrefix("compression.") else {
                throw error
            }
            close(file)
            if error.code == .init("compression.truncated"), isBeingWritten(file) { return false }
            try await give(up: file, error)
            return false
        }
    }

    private func readArchive(
        _ file: FollowedFile,
        _ archive: ArchiveReading
    ) async throws(ConnectorError) -> Bool {
        let place = file.cutter.windowStart
        if archive.input.offset < place {
            let isThere = try archive.skip(to: place, budget: Self.skipSize)
            if isThere == nil { close(file) }
            return isThere != nil
        }
        try archive.fill(archive.input.window.count + 1)
        if archive.input.offset == 0 {
            try archive.fill(Charset.markLength)
            if try await !begins(file, archive.input.window) { return false }
            archive.consume(Int(file.cutter.windowStart))
        }
        let start = archive.input.offset
        let window = archive.input.window
        file.position.start.extend(window, at: start)
        rotation.begins(file.id, file.position.start)
        let batch = takeBatch()
        batch.origin = file.position.path
        batch.retain(archive.input.chunk)
        let isDone = file.cutter.cut(window, into: batch)
        let isLast = isDone && archive.input.isAtEnd
        if isLast { file.cutter.finish(.everything, window, at: start, into: batch) }
        archive.consume(Int(file.cutter.windowStart - start))
        file.position.end = archive.end.fingerprint
        let information = try reportingToEngine { () throws(FileSystemError) in
            try file.file?.information()
        }
        file.position.size = file.cutter.place.byte
        rotation.confirmed(file.id, size: file.position.size, isRead: isLast)
        if let information { try await send(batch, file, information) }
        if isLast { close(file) }
        return !isLast
    }

    /// Whether a compressed file that is not complete has changed so recently that it may become so.
    private func isBeingWritten(_ file: FollowedFile) -> Bool {
        guard !context.untilEnd,
            let information = try? FileInformation.of(file.position.path)
        else { return false }
        let rest = Self.milliseconds(follow.rotateWait)
        guard now() - information.modified / 1_000_000 < rest else { return false }
        waiting.insert(file.id)
        file.waitingSince = now()
        file.isIncomplete = true
        return true
    }

    /// D6: what cannot be read is one rejected record, and the file is let be.
    private func give(
        up file: FollowedFile,
        _ error: ConnectorError
    ) async throws(ConnectorError) {
        let place = file.position.place
        file.position.error = error.code.rawValue
        var rejected = error
        rejected.disposition = .rejectRecord
        rejected.message =
            "The rest of \(file.position.path) from line \(place.line), byte \(place.byte), "
            + "cannot be read: \(error.message)"
        let batch = takeBatch()
        batch.origin = file.position.path
        var record = RejectedRecord(
            error: rejected,
            topic: settings.topic,
            value: [],
            offset: place.byte,
            line: place.line
        )
        record.isCut = true
        batch.reject(record)
        try await outlet.send(batch, position: file.stored)
    }
}
