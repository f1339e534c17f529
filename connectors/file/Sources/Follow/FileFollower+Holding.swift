internal import Compression
internal import ConnectorSDK
internal import FileSystem

/// New files are opened when they are seen. Before one is begun it may have to wait, for others to
/// be read or for its writer to make it longer, and may lose its name meanwhile.
extension FileFollower {
    /// Does some steps, and what is concluded behind them, until nothing more follows.
    func conclude(after steps: [Rotation.Step] = []) async throws(ConnectorError) {
        var steps = steps
        var isDone = false
        while !isDone {
            inspect()
            steps += rotation.conclude(at: now())
            try await perform(steps)
            // Where files were not found as they were seen, it is looked again first.
            isDone =
                steps.isEmpty || rotation.newcomers.isEmpty || !moving.isEmpty || outlet.isStopping
            steps = []
        }
        held = held.filter { rotation.newcomers[$0.key].map { !$0.isIgnored } ?? false }
    }

    /// Opens what is new, and reads what it begins with.
    private func inspect() {
        for node in rotation.takeUnread() {
            guard let newcomer = rotation.newcomers[node] else { continue }
            guard let file = hold(node, newcomer) else {
                // Nobody can read it any more, or it has another name now.
                if newcomer.isNamed {
                    lookAgain.insert(newcomer.path)
                } else {
                    rotation.newcomers[node] = nil
                }
                continue
            }
            inspect(node, file)
        }
        // A compressed one may have been made since of what was short when it was inspected.
        for (node, file) in held where rotation.isShort(node) { inspect(node, file) }
    }

    private func inspect(_ node: FileNode, _ file: OpenFile) {
        guard let information = try? file.information() else { return }
        let bytes = try? file.bytes(at: 0, count: ContentStart.limit)
        let first = bytes.flatMap { try? contentStart($0, of: file).bytes }
        let beginning = first.map(Beginning.init)
        rotation.begins(node, beginning, size: information.size, at: now())
    }

    /// A new file, opened; it is kept open if there are not too many.
    private func hold(_ node: FileNode, _ newcomer: Rotation.Newcomer) -> OpenFile? {
        if let file = held[node] { return file }
        guard newcomer.isNamed, let file = try? OpenFile(newcomer.path, .reading),
            let information = try? file.information(), FileNode(information) == node
        else { return nil }
        // D7: what is beyond that is opened again when it is begun.
        if held.count < max(1, follow.maximumOpen / 4) { held[node] = file }
        return file
    }

    /// The first bytes of the content of a file that begins with `bytes`, and how it is compressed;
    /// `nil` when they cannot be had yet.
    func contentStart(
        _ bytes: [UInt8],
        of file: OpenFile
    ) throws(ConnectorError) -> (bytes: [UInt8]?, kind: CompressionKind?) {
        guard isCompressed(bytes) else { return (bytes, nil) }
        let kind = ArchiveReading.kind(bytes)
        do throws(ConnectorError) {
            let archive = try ArchiveReading(file, kind)
            try archive.fill(ContentStart.limit)
            return (Array(archive.input.window.prefix(ContentStart.limit)), kind)
        } catch {
            guard error.kind == .runtime else { throw error }
            // It may not be completely written yet.
            return (nil, kind)
        }
    }

    /// Begins the new files that no later run will find. (D6)
    func beginRemoved() async throws(ConnectorError) {
        inspect()
        moving.removeAll()
        let removed = rotation.newcomers.filter { !$0.value.isNamed && $0.value.isUndecided }
        let sorted = removed.sorted { $0.value.age < $1.value.age }
        for (node, newcomer) in sorted where rotation.isLikeNone(node) {
            for case .drain(let id) in try await begin(node, newcomer.path, after: newcomer.follows)
            {
                draining.insert(id)
            }
        }
    }
}
