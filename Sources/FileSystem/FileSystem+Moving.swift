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
        let wanted = directory + "/" + name(of: path)
        var target = wanted
        var number = 0
        while true {
            do throws(FileSystemError) {
                try rename(path, toNew: target)
                break
            } catch {
                if error.isCrossDevice {
                    return try copyAndRemove(path, into: directory)
                }
                // Ten thousand files of one name are a mistake, not a collision.
                guard error.isTaken, number < 10_000 else { throw error }
            }
            number += 1
            target = numbered(wanted, String(number))
        }
        try synchronizeDirectory(directory)
        try synchronizeDirectory(self.directory(of: path))
        return target
    }

    internal static func copyAndRemove(
        _ path: String,
        into directory: String
    ) throws(FileSystemError) -> String {
        let wanted = directory + "/" + name(of: path)
        let temporary = directory + "/." + name(of: path) + ".millrace-tmp"
        try remove(temporary)
        try copy(path, toNew: temporary)
        var target = wanted
        var number = 0
        while true {
            do throws(FileSystemError) {
                try rename(temporary, toNew: target)
                break
            } catch {
                guard error.isTaken, number < 10_000 else { throw error }
            }
            number += 1
            target = numbered(wanted, String(number))
        }
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
