internal import FileSystem

/// What new files may be copies of, by their names. Families may have thousands of members, and as
/// many newcomers at once: what is the same for all of these is found out once.
extension Rotation {
    /// The contents of a family that copies can be made of, while nothing changes.
    struct Originals {
        var ids: [Int] = []
        var paths = Set<String>()
        /// Whether some of a content that is in place was not read yet.
        var isUnread = false
    }

    /// The contents that a new file may be a copy of.
    func suspects(_ newcomer: Newcomer, _ known: inout [String: Originals]) -> [Int] {
        let name = FileSystem.name(of: newcomer.path)
        // Rotation copies to a longer name: what has the family's own name is the original.
        guard RotatedName.isCompressed(name) || RotatedName.family(of: name) != name else {
            return []
        }
        let originals = originals(Self.family(newcomer.path), &known)
        // All but those that had its name.
        guard originals.paths.contains(newcomer.path) else { return originals.ids }
        return originals.ids.filter { isSuspect($0, newcomer) }
    }

    /// Whether a new file may be a copy of a content of its family.
    func isSuspect(_ id: Int, _ newcomer: Newcomer) -> Bool {
        guard let content = contents[id] else { return false }
        return isOriginal(content) && content.path != newcomer.path
    }

    /// Whether what was not read yet of a suspect that is in place cannot be recognised in a copy.
    func isAnyUnread(of newcomer: Newcomer, _ known: inout [String: Originals]) -> Bool {
        guard originals(Self.family(newcomer.path), &known).isUnread else { return false }
        return newcomer.suspects.contains(where: isUnread)
    }

    private func originals(_ family: String, _ known: inout [String: Originals]) -> Originals {
        if let found = known[family] { return found }
        var found = Originals()
        found.ids = (families[family] ?? []).filter { contents[$0].map(isOriginal) ?? false }
        found.paths = Set(found.ids.compactMap { contents[$0]?.path })
        found.isUnread = found.ids.contains(where: isUnread)
        known[family] = found
        return found
    }

    private func isUnread(_ id: Int) -> Bool { isAlive(id) && contents[id]?.isCurrent == false }

    /// A compressed file in place is a copy itself.
    private func isOriginal(_ content: Content) -> Bool {
        !(content.isNamed && RotatedName.isCompressed(content.path))
    }
}
