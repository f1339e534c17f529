internal import CFileShim
internal import Glibc

/// Names in the file system: makes, moves, lists and removes them.
public enum FileSystem {
    /// The part of a path before its last slash: `.` when there is none.
    public static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The part of a path behind its last slash.
    public static func name(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path }
        return String(path[path.index(after: slash)...])
    }

    /// The path of an entry of a directory; `.` and nothing are the working directory.
    public static func join(_ directory: String, _ name: String) -> String {
        switch directory {
        case "", ".": name
        case "/": "/" + name
        default: directory + "/" + name
        }
    }

    /// The path without empty parts and `.`; `..` stays, since links make it mean something else.
    public static func tidy(_ path: String) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        if path.hasPrefix("/") { return "/" + parts }
        return parts.isEmpty ? "." : parts
    }

    /// A path with a number before its extension: `orders-1.csv.gz` of `orders.csv.gz`.
    public static func numbered(_ path: String, _ number: String) -> String {
        let name = name(of: path)
        let end = name.endIndex
        guard var dot = name.dropFirst().lastIndex(of: ".") else { return path + "-" + number }
        if ["gz", "zst"].contains(String(name[dot...].dropFirst())) {
            dot = name[..<dot].dropFirst().lastIndex(of: ".") ?? dot
        }
        let start = path.dropLast(name.count)
        return String(start) + String(name[..<dot]) + "-" + number + String(name[dot..<end])
    }

    /// Makes a directory and those it lies in, as far as they are missing.
    public static func makeDirectories(_ path: String) throws(FileSystemError) {
        if mkdir(path, 0o777) == 0 {
            try synchronizeDirectory(directory(of: path))
            return
        }
        let number = errno
        switch number {
        case EEXIST:
            guard try FileInformation.of(path)?.kind == .directory else {
                throw FileSystemError("make the directory", path, ENOTDIR)
            }
        case ENOENT where directory(of: path) != path:
            try makeDirectories(directory(of: path))
            guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
                throw FileSystemError("make the directory", path, errno)
            }
            try synchronizeDirectory(directory(of: path))
        default:
            throw FileSystemError("make the directory", path, number)
        }
    }

    /// Waits until the names in a directory are on the disk.
    public static func synchronizeDirectory(_ path: String) throws(FileSystemError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileSystemError("open", path, errno) }
        defer { close(descriptor) }
        // Some file systems cannot sync a directory and need not.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw FileSystemError("sync", path, errno)
        }
    }

    /// Gives a file another name, replacing whatever has that name.
    public static func rename(_ from: String, over to: String) throws(FileSystemError) {
        guard Glibc.rename(from, to) == 0 else { throw FileSystemError("rename", from, errno) }
    }

    /// Gives a file a name that nothing has yet.
    public static func rename(_ from: String, toNew to: String) throws(FileSystemError) {
        guard mr_rename_to_new(from, to) == 0 else {
            throw FileSystemError("rename", from, errno)
        }
    }

    /// Removes a file; it is no error when there is none.
    public static func remove(_ path: String) throws(FileSystemError) {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw FileSystemError("remove", path, errno)
        }
    }

    /// Replaces a file's content so that after a crash it is either the old or the new. (D10)
    public static func replaceContent(
        of path: String,
        with bytes: UnsafeRawBufferPointer
    ) throws(FileSystemError) {
        let temporary = path + ".new"
        try remove(temporary)
        let file = try OpenFile(temporary, .creating)
        try file.write(bytes)
        try file.synchronize()
        try rename(temporary, over: path)
        try synchronizeDirectory(directory(of: path))
    }

    /// The names in a directory that are UTF-8, sorted, without `.` and `..`.
    public static func names(in directory: String) throws(FileSystemError) -> [String] {
        guard let stream = opendir(directory) else {
            throw FileSystemError("list", directory, errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            if let name = Self.name(entry), name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The name of a directory's entry; `nil` when it is not UTF-8.
    internal static func name(_ entry: UnsafeMutablePointer<dirent>) -> String? {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        let start = UnsafeRawPointer(entry).advanced(by: offset)
        return String(validatingCString: start.assumingMemoryBound(to: CChar.self))
    }

    /// The whole content of a small file, cut off at `limit` bytes; `nil` when there is none.
    public static func content(of path: String, limit: Int) throws(FileSystemError) -> [UInt8]? {
        guard let information = try FileInformation.of(path) else { return nil }
        let file = try OpenFile(path, .reading)
        return try file.bytes(at: 0, count: min(limit, Int(clamping: information.size)))
    }
}
