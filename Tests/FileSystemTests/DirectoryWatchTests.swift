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

    @Test("notices what is made, written, renamed and removed", .timeLimit(.minutes(10)))
    func notices() async throws {
        let directory = try TemporaryDirectory()
        let bell = Bell()
        let watch = try DirectoryWatch { bell.rings.add(1, ordering: .relaxed) }
        defer { watch.finish() }
        #expect(try watch.add(directory.path))
        #expect(try !watch.add(directory.path), "it is watched already")
        try directory.write("a", to: "a.log")
        for _ in 0..<2_000 where bell.rings.load(ordering: .relaxed) == 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(bell.rings.load(ordering: .relaxed) > 0)
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
    }

    @Test("what was seen to be there is among what it takes at once, and whether it was moved")
    func atOnce() throws {
        let directory = try TemporaryDirectory()
        let watch = try DirectoryWatch {}
        defer { watch.finish() }
        try watch.add(directory.path)
        for number in 0..<2_000 {
            let old = directory.file("\(number)"), new = directory.file("\(number).old")
            try directory.write("a", to: "\(number)")
            try FileManager.default.moveItem(atPath: old, toPath: new)
            let changes = watch.take()
            #expect(changes.paths.isSuperset(of: [old, new]))
            #expect(changes.hasMoves)
        }
        let handle = try FileHandle(forWritingTo: URL(filePath: directory.file("0.old")))
        try handle.write(contentsOf: Data("x".utf8))
        let last = watch.take()
        #expect(last.paths == [directory.file("0.old")])
        #expect(!last.hasMoves)
    }

    @Test("a link that leads to another directory has that one watched", .timeLimit(.minutes(10)))
    func links() async throws {
        let directory = try TemporaryDirectory()
        try directory.write("", to: "one/x")
        try directory.write("", to: "two/x")
        let link = directory.file("link"), manager = FileManager.default
        try manager.createSymbolicLink(atPath: link, withDestinationPath: "one")
        let watch = try DirectoryWatch {}
        defer { watch.finish() }
        #expect(try watch.add(link))
        try manager.removeItem(atPath: link)
        try manager.createSymbolicLink(atPath: link, withDestinationPath: "two")
        #expect(try watch.add(link))
        try directory.write("", to: "one/a")
        try directory.write("", to: "two/b")
        let last = try await changes(watch, with: [link + "/b"])
        #expect(!last.paths.contains(link + "/a"))
        // Two names of one directory: the changes come under one of them, whichever is kept.
        #expect(try watch.add(directory.file("two")))
        watch.keepOnly([directory.file("two")])
        try directory.write("", to: "two/c")
        _ = try await changes(watch, with: [directory.file("two/c")])
    }

    @Test("says that all must be looked at when directories come and go", .timeLimit(.minutes(10)))
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
