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
            listings[directory] = nil
            let again = try listing(directory)
            if again == siblings { break }
            siblings = again
        }
        return rotation.notFound(id, at: now())
    }

    /// How often a directory is listed in which things change all the time.
    private static let listings = 10

    private func find(
        _ id: Int,
        _ content: Rotation.Content,
        _ siblings: [DirectoryWalk.File]
    ) throws(ConnectorError) -> [Rotation.Step]? {
        guard let file = files[id] else { return [] }
        if let node = content.node,
            let found = siblings.first(where: { FileNode($0.information) == node })
        {
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
        for sibling in siblings where sibling.path != family {
            let node = FileNode(sibling.information)
            guard rotation.carriers[node] == nil, Rotation.family(sibling.path) == family,
                let candidate = try Candidate(sibling.path, node, self)
            else { continue }
            switch try candidate.compare(with: file.position) {
            case .same:
                let isBetter = best.map { $0.isShorter || RotatedName.isCompressed($0.file.path) }
                if isBetter ?? true { best = (sibling, false) }
            case .shorter: if best == nil { best = (sibling, true) }
            case .different, .unclear: break
            }
        }
        guard let best else { return nil }
        return rotation.adopt(FileNode(best.file.information), best.file.path, id)
    }

    /// The regular files of a directory, looked at once for what is decided together.
    private func listing(_ directory: String) throws(ConnectorError) -> [DirectoryWalk.File] {
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
        listings[directory] = files
        return files
    }
}

/// A file that may be a copy of a content.
private struct Candidate {
    let path: String
    private let file: OpenFile
    private let size: Int64
    /// The first bytes of the content; `nil` when they cannot be had yet.
    private let start: [UInt8]?
    private let begin: ContentStart
    private let kind: CompressionKind?

    /// Opens it; `nil` when it is not there any more, or cannot be read.
    init?(_ path: String, _ node: FileNode, _ follower: FileFollower) throws(ConnectorError) {
        let bytes: [UInt8]
        do throws(FileSystemError) {
            let file = try OpenFile(path, .reading)
            let information = try file.information()
            guard FileNode(information) == node else { return nil }
            self.path = path
            self.file = file
            size = information.size
            bytes = try file.bytes(at: 0, count: ContentStart.limit)
        } catch {
            if !error.isNotFound { follower.warn(error, "cannot follow a file") }
            return nil
        }
        if follower.isCompressed(bytes) {
            let kind = ArchiveReading.kind(bytes)
            self.kind = kind
            start = try Self.firstBytes(of: file, kind)
        } else {
            kind = nil
            start = bytes
        }
        begin = ContentStart(start ?? [])
    }

    private static func firstBytes(
        of file: OpenFile,
        _ kind: CompressionKind
    ) throws(ConnectorError) -> [UInt8]? {
        do throws(ConnectorError) {
            let archive = try ArchiveReading(file, kind)
            try archive.fill(ContentStart.limit)
            return Array(archive.input.window.prefix(ContentStart.limit))
        } catch {
            guard error.kind == .runtime else { throw error }
            // It may not be completely written yet.
            return nil
        }
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
