internal import FileSystem

/// What was in a directory when it was looked at.
final class DirectoryListing {
    let files: [DirectoryWalk.File]
    private let nodes: [FileNode: Int]
    /// The files of each family.
    private(set) lazy var families = Dictionary(grouping: files) { Rotation.family($0.path) }
    /// The rotated files of families that no content is known to be in, by their beginnings.
    var beginnings: [String: StartIndex<DirectoryWalk.File>] = [:]
    /// Whether it was the same when it was made again, so that nothing was renamed meanwhile.
    var isSettled = false

    init(_ files: [DirectoryWalk.File]) {
        self.files = files
        nodes = Dictionary(
            files.enumerated().map { (FileNode($1.information), $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The first of the names that a file has.
    func file(_ node: FileNode) -> DirectoryWalk.File? { nodes[node].map { files[$0] } }

    /// Whether the same files have the same names.
    func hasNames(of other: DirectoryListing) -> Bool {
        files.count == other.files.count
            && zip(files, other.files).allSatisfy {
                $0.path == $1.path && FileNode($0.information) == FileNode($1.information)
            }
    }
}
