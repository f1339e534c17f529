internal import Glibc

/// Finds the files that patterns match.
///
/// Symbolic links are followed, and no directory is visited twice for one place of a pattern, so
/// that a loop of links ends. What vanishes during the walk is passed over.
public struct DirectoryWalk {
    /// A file that was found.
    public struct File: Sendable, Hashable {
        /// Its path, as the pattern spells the directories.
        public var path: String
        /// What the file system said of it.
        public var information: FileInformation

        /// Describes a file that was found otherwise.
        public init(path: String, information: FileInformation) {
            self.path = path
            self.information = information
        }
    }

    private struct Visit: Hashable {
        var device: UInt64
        var inode: UInt64
        var place: Int
    }

    /// Nobody nests directories deeper, and a path has 4,096 bytes.
    private static let depthLimit = 256

    private struct Directory: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    /// Directories that exist and cannot be read, and names that are not UTF-8.
    public private(set) var problems: [FileSystemError] = []
    /// The directories in which a file that comes later could make a difference, as of the last
    /// ``files(_:)``.
    public private(set) var directories: Set<String> = []
    private var skipped: Set<Directory> = []
    private var visited: Set<Visit> = []
    private var found: [String: File] = [:]

    /// Makes a walk.
    public init() {}

    /// Does not enter a directory, such as the one that finished files are moved to, by whatever
    /// name it is reached.
    public mutating func skip(_ directory: String) {
        guard let information = look(directory) else { return }
        skipped.insert(Directory(device: information.device, inode: information.inode))
    }

    /// The files that any of the patterns matches, sorted by path.
    public mutating func files(_ patterns: [GlobPattern]) -> [File] {
        found.removeAll(keepingCapacity: true)
        problems.removeAll()
        directories.removeAll(keepingCapacity: true)
        for pattern in patterns {
            for parts in pattern.alternatives {
                visited.removeAll(keepingCapacity: true)
                visit(pattern.isAbsolute ? "/" : "", parts, from: 0, depth: 0)
            }
        }
        return found.values.sorted { $0.path < $1.path }
    }

    /// Goes on with part `place` of the pattern in a directory; `""` is the working directory.
    private mutating func visit(
        _ directory: String,
        _ parts: [GlobPattern.Part],
        from place: Int,
        depth: Int
    ) {
        guard place < parts.count, depth < Self.depthLimit else { return }
        let isLast = place == parts.count - 1
        switch parts[place] {
        case .literal(let name):
            enter(FileSystem.join(directory, name), parts, place, isLast: isLast, depth)
        case .shape:
            guard canVisit(directory, place) else { return }
            for name in names(in: directory) where parts[place].matches(name) {
                enter(FileSystem.join(directory, name), parts, place, isLast: isLast, depth)
            }
        case .anyDirectories:
            guard canVisit(directory, place) else { return }
            visit(directory, parts, from: place + 1, depth: depth)
            for name in names(in: directory) where !name.hasPrefix(".") {
                let path = FileSystem.join(directory, name)
                guard let information = look(path) else { continue }
                if information.kind == .directory {
                    visit(path, parts, from: place, depth: depth + 1)
                } else if isLast {
                    add(path, information)
                }
            }
        }
    }

    private mutating func enter(
        _ path: String,
        _ parts: [GlobPattern.Part],
        _ place: Int,
        isLast: Bool,
        _ depth: Int
    ) {
        let information = look(path)
        // What is not there yet may be made.
        if isLast || information == nil { directories.insert(FileSystem.directory(of: path)) }
        if isLast {
            if let information { add(path, information) }
        } else {
            visit(path, parts, from: place + 1, depth: depth + 1)
        }
    }

    private mutating func add(_ path: String, _ information: FileInformation) {
        guard information.kind == .regular else { return }
        found[path] = File(path: path, information: information)
    }

    private mutating func look(_ path: String) -> FileInformation? {
        do throws(FileSystemError) {
            return try FileInformation.of(path)
        } catch {
            problems.append(error)
            return nil
        }
    }

    /// Whether a directory is there, is not skipped, and was not visited at this place before.
    private mutating func canVisit(_ directory: String, _ place: Int) -> Bool {
        guard let information = look(directory.isEmpty ? "." : directory),
            information.kind == .directory,
            !skipped.contains(Directory(device: information.device, inode: information.inode))
        else { return false }
        let visit = Visit(device: information.device, inode: information.inode, place: place)
        guard visited.insert(visit).inserted else { return false }
        directories.insert(directory.isEmpty ? "." : directory)
        return true
    }

    /// The names in a directory, sorted; none when it has vanished or is not readable.
    private mutating func names(in directory: String) -> [String] {
        let path = directory.isEmpty ? "." : directory
        guard let stream = opendir(path) else {
            let error = FileSystemError("list", path, errno)
            if !error.isNotFound { problems.append(error) }
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            guard let name = FileSystem.name(entry) else {
                problems.append(FileSystemError("use a name that is not UTF-8 in", path, EILSEQ))
                continue
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
