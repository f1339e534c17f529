import FileSystem
import Foundation
import Synchronization
import TestServices
import Testing

@Suite("Directory watch")
struct DirectoryWatchTests {
    /// Counts how often it is woken.
    private final class Bell: Sendable {
        let rings = Atomic<Int>(0)
    }

    /// Collects changes until `paths` are among them.
    private func changes(
        _ watch: DirectoryWatch,
        with paths: Set<String>
    ) async throws -> DirectoryWatch.Changes {
        var all = DirectoryWatch.Changes()
        for _ in 0..<2_000 {
            let new = watch.take()
            all.paths.formUnion(new.paths)
            all.isIncomplete = all.isIncomplete || new.isIncomplete
            if all.paths.isSuperset(of: paths) { return all }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("\(paths) were not noticed, but \(all.paths)")
        return all
    }

    @Test("notices what is made, written, renamed and removed", .timeLimit(.minutes(2)))
    func notices() async throws {
        let directory = try TemporaryDirectory()
        let bell = Bell()
        let watch = try DirectoryWatch { bell.rings.add(1, ordering: .relaxed) }
        defer { watch.finish() }
        #expect(try watch.add(directory.path))
        #expect(try !watch.add(directory.path), "it is watched already")
        try directory.write("a", to: "a.log")
        let a = directory.file("a.log"), b = directory.file("b.log")
        _ = try await changes(watch, with: [a])
        try FileManager.default.moveItem(atPath: a, toPath: b)
        _ = try await changes(watch, with: [a, b])
        let handle = try FileHandle(forWritingTo: URL(filePath: b))
        try handle.write(contentsOf: Data("x".utf8))
        try handle.close()
        _ = try await changes(watch, with: [b])
        try FileManager.default.removeItem(atPath: b)
        _ = try await changes(watch, with: [b])
        #expect(bell.rings.load(ordering: .relaxed) > 0)
    }

    @Test("says that all must be looked at when directories come and go", .timeLimit(.minutes(2)))
    func directories() async throws {
        let directory = try TemporaryDirectory()
        let watch = try DirectoryWatch {}
        defer { watch.finish() }
        try watch.add(directory.path)
        try directory.write("a", to: "sub/a.log")
        #expect(try await changes(watch, with: [directory.file("sub")]).isIncomplete)
        try watch.add(directory.file("sub"))
        try directory.write("b", to: "sub/b.log")
        _ = try await changes(watch, with: [directory.file("sub/b.log")])
        watch.keepOnly([directory.path])
        try directory.write("c", to: "sub/c.log")
        try directory.write("d", to: "d.log")
        let last = try await changes(watch, with: [directory.file("d.log")])
        #expect(!last.paths.contains(directory.file("sub/c.log")), "it is not watched any more")
    }

    @Test("a directory that is not there cannot be watched")
    func missing() throws {
        let watch = try DirectoryWatch {}
        defer { watch.finish() }
        #expect(throws: FileSystemError.self) { try watch.add("/nonexistent/directory") }
    }
}
