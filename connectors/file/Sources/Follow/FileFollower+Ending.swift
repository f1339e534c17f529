internal import ConnectorSDK
internal import FileSystem

extension FileFollower {
    // MARK: Open files

    /// Opens a file where it is known to be, unless it is open.
    ///
    /// - Returns: whether it is open now.
    func open(_ file: FollowedFile) async throws(ConnectorError) -> Bool {
        if file.file != nil { return true }
        guard let content = rotation.contents[file.id], content.isNamed,
            let node = content.node
        else { return false }
        let opened: OpenFile
        var isOther = false
        do throws(FileSystemError) {
            opened = try OpenFile(content.path, .reading)
            isOther = FileNode(try opened.information()) != node
        } catch {
            guard error.isNotFound else {
                warn(error, "cannot follow a file")
                return false
            }
            try await lookAt([content.path])
            return false
        }
        if isOther {
            try await lookAt([content.path])
            return false
        }
        file.position.path = content.path
        try use(opened, for: file)
        return true
    }

    /// Keeps a file open that holds a content, and reads it as what it is.
    func use(_ opened: OpenFile, for file: FollowedFile) throws(ConnectorError) {
        keepOpen(file, opened)
        let start = try reportingToEngine { () throws(FileSystemError) in
            try opened.bytes(at: 0, count: 16)
        }
        if isCompressed(start), file.position.start.length == 0 || isArchive(file, start) {
            file.archive = try ArchiveReading(opened, ArchiveReading.kind(start))
        }
    }

    /// Whether the compressed bytes are not the content themselves.
    private func isArchive(_ file: FollowedFile, _ start: [UInt8]) -> Bool {
        file.position.start.agrees(with: start) != true
    }

    /// Keeps a file open, and closes the one that was used least recently when there are many.
    func keepOpen(_ file: FollowedFile, _ opened: OpenFile) {
        file.file = opened
        openFiles.insert(file.id)
        guard openFiles.count + held.count > follow.maximumOpen else { return }
        let idle = openFiles.compactMap { files[$0] }.filter {
            $0 !== file && !draining.contains($0.id) && $0.archive == nil
        }
        if let oldest = idle.min(by: { $0.lastUse < $1.lastUse }) { close(oldest) }
    }

    /// Lets go of a file.
    func close(_ file: FollowedFile) {
        openFiles.remove(file.id)
        file.close()
    }

    // MARK: What is not complete

    /// Notes whether bytes wait for others to make a record.
    func noteRest(_ file: FollowedFile) {
        guard file.cutter.hasRest else {
            waiting.remove(file.id)
            file.waitingSince = nil
            return
        }
        file.waitingSince = now()
        if timeout(of: file) != nil { waiting.insert(file.id) }
    }

    private func timeout(of file: FollowedFile) -> Int64? {
        if file.isIncomplete { return Self.milliseconds(.seconds(1)) }
        let group = file.cutter.hasGroup ? follow.multiline?.timeout : nil
        return [group, follow.partialTimeout].compactMap { $0.map(Self.milliseconds) }.min()
    }

    /// When the next of them has waited for long enough.
    var waitingDeadline: Int64? {
        waiting.compactMap { id in
            guard let file = files[id], let since = file.waitingSince else { return nil }
            return timeout(of: file).map { since + $0 }
        }.min()
    }

    /// Makes records of what has waited for long enough.
    func finishWaiting() async throws(ConnectorError) {
        for id in waiting.sorted() {
            guard let file = files[id], let since = file.waitingSince, let limit = timeout(of: file)
            else {
                waiting.remove(id)
                continue
            }
            guard now() - since >= limit else { continue }
            waiting.remove(id)
            if file.isIncomplete {
                ready.insert(id)
                continue
            }
            let isWhole = follow.partialTimeout.map { now() - since >= Self.milliseconds($0) }
            _ = try await read(file, finish: isWhole == true ? .everything : .group)
        }
    }

    /// Lets go of the files without names that have not grown for a while.
    func finishDrained() async throws(ConnectorError) {
        let limit = context.untilEnd ? 0 : Self.milliseconds(follow.rotateWait)
        for id in draining.sorted() {
            guard let file = files[id], rotation.contents[id]?.isNamed == false else {
                draining.remove(id)
                continue
            }
            // A compressed file does not grow: it is closed when it has been read.
            if file.archive != nil, ready.contains(id) { continue }
            guard let opened = file.file, file.archive == nil else {
                try await release(file)
                continue
            }
            let size = try reportingToEngine { () throws(FileSystemError) in
                try opened.information().size
            }
            if size != max(file.cutter.scanned, file.cutter.place.byte) {
                file.drainingSince = now()
                ready.insert(id)
            } else if now() - (file.drainingSince ?? 0) >= limit {
                _ = try await read(file, finish: .everything)
                if draining.contains(id) { try await release(file) }
            }
        }
    }

    private func release(_ file: FollowedFile) async throws(ConnectorError) {
        close(file)
        draining.remove(file.id)
        try await perform(rotation.drained(file.id, at: now()))
    }

    /// How long a task that is told to stop reads what nobody can read after it.
    private static let farewell = Duration.seconds(5)

    /// Reads the rest of files that have no name any more: the next run does not find them. (D6)
    func finishRemoved() async throws(ConnectorError) {
        let end = ContinuousClock.now + Self.farewell
        for file in openFiles.sorted().compactMap({ files[$0] }) where file.archive == nil {
            guard let information = try? file.file?.information(),
                information.links == 0 || draining.contains(file.id)
            else { continue }
            while try await read(file, finish: .everything), .now < end {}
        }
    }

    // MARK: Runs that end

    /// Whether all is read that was there when the run began.
    var isAtEnd: Bool {
        let hasDecided = rotation.newcomers.values.allSatisfy(\.isIgnored)
        return hasDecided
            && ready.allSatisfy { id in
                guard let file = files[id], let goal = file.goal, file.archive == nil else {
                    return files[id] == nil
                }
                return file.cutter.scanned >= goal && file.cutter.scanned > 0
            }
    }

    /// Makes records of what is not complete in files that have not grown meanwhile.
    func finishAll() async throws(ConnectorError) {
        for file in files.values.sorted(by: { $0.id < $1.id }) where file.cutter.hasRest {
            guard let goal = file.goal, file.position.size <= goal else { continue }
            _ = try await read(file, finish: .everything)
        }
    }
}
