internal import Glibc

/// Operations on directories and names.
internal enum Directory {
    /// The names in a directory, without `.` and `..`, sorted.
    internal static func list(_ path: String) throws(FileFailure) -> [String] {
        guard let stream = opendir(path) else { throw FileFailure("list", path) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes a directory and those above it; one that exists is fine.
    internal static func create(_ path: String) throws(FileFailure) {
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        let code = errno
        let parent = parent(of: path)
        guard code == ENOENT, parent != path else { throw FileFailure("create", path, code) }
        try create(parent)
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw FileFailure("create", path) }
    }

    /// The directory above.
    internal static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Waits until the names in a directory are on the disk.
    internal static func synchronize(_ path: String) throws(FileFailure) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure("fsync", path) }
    }

    /// Whether something of this name exists.
    internal static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The size of a file, or `nil` when there is none.
    internal static func fileSize(_ path: String) -> Int64? {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : nil
    }

    /// Removes a file; one that does not exist is fine.
    internal static func removeFile(_ path: String) throws(FileFailure) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileFailure("remove", path) }
    }

    /// Gives a file another name, replacing one that has it.
    internal static func rename(_ path: String, to new: String) throws(FileFailure) {
        guard Glibc.rename(path, new) == 0 else { throw FileFailure("rename", path) }
    }

    /// Removes a directory and the files in it; one that does not exist is fine.
    internal static func removeAll(_ path: String) throws(FileFailure) {
        guard exists(path) else { return }
        for name in try list(path) { try removeFile("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT else { throw FileFailure("remove", path) }
    }
}
