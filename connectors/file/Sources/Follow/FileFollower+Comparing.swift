internal import Compression
internal import ConnectorSDK
internal import FileSystem
internal import RecordStreams

extension FileFollower {
    /// Whether a file is compressed, and may be read so.
    func isCompressed(_ start: [UInt8]) -> Bool {
        switch settings.compression {
        case .none: false
        case .auto, .gzip, .zstd: ArchiveReading.kind(start).isStreamable
        }
    }

    /// The last bytes before a place.
    func endMark(
        of file: OpenFile,
        before byte: Int64
    ) throws(ConnectorError) -> FileFingerprint {
        let length = min(Int64(ContentEnd.limit), byte)
        let bytes = try reportingToEngine { () throws(FileSystemError) in
            try file.bytes(at: byte - length, count: Int(length))
        }
        return bytes.withUnsafeBytes { ContentEnd($0).fingerprint }
    }

    /// Compares a new file with contents that it may be a copy of.
    func compare(
        _ node: FileNode,
        _ path: String,
        with ids: [Int]
    ) throws(ConnectorError) -> [Rotation.Step] {
        guard let candidate = try Candidate(path, node, self) else {
            rotation.missing(path)
            return []
        }
        var steps: [Rotation.Step] = []
        for id in ids {
            guard let file = files[id] else { continue }
            comparisons += 1
            let comparison = try candidate.compare(with: file.position)
            steps += rotation.compared(node, path, with: id, comparison)
            // It holds one content at most.
            if rotation.newcomers[node] == nil { break }
        }
        return steps
    }

    /// Looks for a content beside where it was: under a new name, in a copy, compressed.
    func search(_ id: Int) throws(ConnectorError) -> [Rotation.Step] {
        guard let content = rotation.contents[id], !content.isNamed else { return [] }
        let directory = FileSystem.directory(of: content.path)
        var siblings = try listing(directory)
        // What is renamed while a directory is listed may be in it under no name.
        for _ in 0..<Self.listings {
            if let steps = try find(id, content, siblings) { return steps }
            if siblings.isSettled { break }
            listings[directory] = nil
            let again = try listing(directory)
            again.isSettled = again.hasNames(of: siblings)
            siblings = again
            if again.isSettled { break }
        }
        return rotation.notFound(id, at: now())
    }

    /// How often a directory is listed in which things change all the time.
    private static let listings = 10

    private func find(
        _ id: Int,
        _ content: Rotation.Content,
        _ siblings: DirectoryListing
    ) throws(ConnectorError) -> [Rotation.Step]? {
        guard let file = files[id] else { return [] }
        if let node = content.node, let found = siblings.file(node) {
            let step = rotation.found(
                found.path,
                found.information,
                isIncluded: true,
                isTouched: true,
                at: now()
            )
            return step.map { [$0] } ?? []
        }
        let family = Rotation.family(content.path)
        var best: (file: DirectoryWalk.File, isShorter: Bool)?
        for sibling in try likely(file.position.start, family, siblings) {
            let node = FileNode(sibling.information)
            guard rotation.carriers[node] == nil,
                let candidate = try Candidate(sibling.path, node, self)
            else { continue }
            comparisons += 1
            switch try candidate.compare(with: file.position) {
            case .same:
                let isBetter = best.map { $0.isShorter || RotatedName.isCompressed($0.file.path) }
                if isBetter ?? true { best = (sibling, false) }
            case .shorter: if best == nil { best = (sibling, true) }
            case .different, .unclear: break
            }
        }
        guard let best else { return nil }
        let node = FileNode(best.file.information)
        return rotation.adopt(node, best.file.path, id, isNamed: true)
    }

    /// The rotated files of a family that may begin so; each of them is opened once.
    private func likely(
        _ start: ContentStart,
        _ family: String,
        _ siblings: DirectoryListing
    ) throws(ConnectorError) -> [DirectoryWalk.File] {
        if let known = siblings.beginnings[family] { return known.similar(to: start) }
        var index = StartIndex<DirectoryWalk.File>()
        for sibling in siblings.families[family] ?? [] where sibling.path != family {
            let node = FileNode(sibling.information)
            guard rotation.carriers[node] == nil,
                let candidate = try Candidate(sibling.path, node, self)
            else { continue }
            index.add(sibling, candidate.start.map(Beginning.init))
        }
        siblings.beginnings[family] = index
        return index.similar(to: start)
    }

    /// The regular files of a directory, looked at once for what is decided together.
    private func listing(_ directory: String) throws(ConnectorError) -> DirectoryListing {
        if let known = listings[directory] { return known }
        var files: [DirectoryWalk.File] = []
        do throws(FileSystemError) {
            for name in try FileSystem.names(in: directory) {
                let path = FileSystem.join(directory, name)
                guard let information = try FileInformation.of(path),
                    information.kind == .regular
                else { continue }
                files.append(DirectoryWalk.File(path: path, information: information))
            }
        } catch {
            if !error.isNotFound { warn(error, "cannot look for rotated files") }
        }
        let listing = DirectoryListing(files)
        listings[directory] = listing
        return listing
    }
}

/// A file that may be a copy of a content.
private struct Candidate {
    let path: String
    private let file: OpenFile
    private let size: Int64
    /// The first bytes of the content; `nil` when they cannot be had yet.
    let start: [UInt8]?
    private let begin: ContentStart
    private let kind: CompressionKind?

    /// Opens it; `nil` when it is not there any more, or cannot be read.
    init?(_ path: String, _ node: FileNode, _ follower: FileFollower) throws(ConnectorError) {
        let bytes: [UInt8]
        do throws(FileSystemError) {
            if let held = follower.held[node] {
                file = held
            } else {
                file = try OpenFile(path, .reading)
            }
            let information = try file.information()
            guard FileNode(information) == node else { return nil }
            self.path = path
            size = information.size
            bytes = try file.bytes(at: 0, count: ContentStart.limit)
        } catch {
            if !error.isNotFound { follower.warn(error, "cannot follow a file") }
            return nil
        }
        (start, kind) = try follower.contentStart(bytes, of: file)
        begin = ContentStart(start ?? [])
    }

    func compare(with content: FollowPosition) throws(ConnectorError) -> Rotation.Comparison {
        // Of what was hardly begun nothing was read: whatever holds it can be read from its start.
        if content.start.length == 0 { return .different }
        if content.place.byte == 0, content.start.length < ContentStart.least { return .different }
        guard let start, !start.isEmpty else { return .unclear }
        if content.start.agrees(with: begin) == false { return .different }
        guard let agrees = content.start.agrees(with: start) else { return .unclear }
        guard agrees else { return .different }
        if let kind { return try compareArchive(kind, with: content) }
        if size < content.place.byte { return .shorter }
        let end = try reportingToEngine { () throws(FileSystemError) in
            try file.bytes(
                at: content.place.byte - Int64(content.end.length),
                count: content.end.length
            )
        }
        return content.end.covers(end) ? .same : .different
    }

    private func compareArchive(
        _ kind: CompressionKind,
        with content: FollowPosition
    ) throws(ConnectorError) -> Rotation.Comparison {
        do throws(ConnectorError) {
            let archive = try ArchiveReading(file, kind)
            guard try archive.skip(to: content.place.byte, budget: .max) != nil else {
                return .shorter
            }
            let end = archive.end.bytes.suffix(content.end.length)
            return content.end.covers(end) ? .same : .different
        } catch {
            guard error.kind == .runtime else { throw error }
            return error.code == .init("compression.truncated") ? .unclear : .different
        }
    }
}
