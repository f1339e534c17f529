internal import ConnectorSDK
internal import FileSystem

/// New files are opened when they are seen. Before one is begun it may have to wait, for others to
/// be read or for its writer to make it longer, and may be removed meanwhile.
extension FileFollower {
    /// Opens a file that was just seen, if it is new.
    func hold(_ path: String, _ information: FileInformation) {
        let node = FileNode(information)
        // D7: what is beyond that is opened when it is begun.
        guard rotation.newcomers[node]?.isUndecided == true, held[node] == nil,
            held.count < follow.maximumOpen
        else { return }
        guard let file = try? OpenFile(path, .reading), let opened = try? file.information(),
            FileNode(opened) == node
        else { return }
        held[node] = file
    }

    /// Closes those that are decided upon, and forgets those that nobody can read.
    func letGo() {
        guard !held.isEmpty else { return }
        held = held.filter { rotation.newcomers[$0.key]?.isUndecided == true }
        for (node, newcomer) in rotation.newcomers where !newcomer.isNamed && held[node] == nil {
            rotation.newcomers[node] = nil
        }
    }

    /// Begins the new files that no run will find any more. (D6)
    func beginRemoved() async throws(ConnectorError) {
        let removed = rotation.newcomers.filter {
            !$0.value.isNamed && $0.value.suspects.isEmpty && held[$0.key] != nil
        }
        for (node, newcomer) in removed.sorted(by: { $0.value.age < $1.value.age }) {
            guard case .begin(_, let path, let previous) = rotation.begin(node, newcomer) else {
                continue
            }
            _ = try await begin(node, path, after: previous)
        }
    }
}
