internal import Glibc

extension FileSystem {
    /// Moves a file into a directory, durably, and never over another one.
    ///
    /// A name that is taken gets a number. Across file systems the file is copied, synced and
    /// then removed, so a crash leaves it in one place or in both, never in none.
    ///
    /// - Returns: the new path.
    @discardableResult
    public static func move(
        _ path: String,
        into directory: String
    ) throws(FileSystemError) -> String {
        try makeDirectories(directory)
        let target: String
        do throws(FileSystemError) {
            target = try move(path, to: directory + "/" + name(of: path))
        } catch {
            guard error.isCrossDevice else { throw error }
            return try copyAndRemove(path, into: directory)
        }
        try synchronizeDirectory(directory)
        try synchronizeDirectory(self.directory(of: path))
        return target
    }

    /// Renames a file within a file system; a name that is taken gets a number.
    ///
    /// - Returns: the new path.
    @discardableResult
    public static func move(
        _ path: String,
        to wanted: String
    ) throws(FileSystemError) -> String {
        var target = wanted
        var number = 0
        while true {
            do throws(FileSystemError) {
                try rename(path, toNew: target)
                return target
            } catch {
                // Ten thousand files of one name are a mistake, not a collision.
                guard error.isTaken, number < 10_000 else { throw error }
            }
            number += 1
            target = numbered(wanted, String(number))
        }
    }

    internal static func copyAndRemove(
        _ path: String,
        into directory: String
    ) throws(FileSystemError) -> String {
        let temporary = directory + "/." + name(of: path) + ".millrace-tmp"
        try remove(temporary)
        try copy(path, toNew: temporary)
        let target = try move(temporary, to: directory + "/" + name(of: path))
        try synchronizeDirectory(directory)
        try remove(path)
        try synchronizeDirectory(self.directory(of: path))
        return target
    }

    private static func copy(_ path: String, toNew target: String) throws(FileSystemError) {
        let source = try OpenFile(path, .reading)
        let copy = try OpenFile(target, .creating)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { room.deallocate() }
        while true {
            let count = try source.read(into: room)
            if count == 0 { break }
            try copy.write(UnsafeRawBufferPointer(rebasing: room[..<count]))
        }
        try copy.synchronize()
    }
}
