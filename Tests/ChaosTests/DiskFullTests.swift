import Foundation
import TestServices
import Testing

@Suite("Full disk")
struct DiskFullTests {
    @Test("stops cleanly, loses nothing and goes on when there is room", .timeLimit(.minutes(10)))
    func fullDisk() async throws {
        let directory = try TemporaryDirectory()
        let small = directory.file("small")
        try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
        let mount = try await Command.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", small],
            in: directory.path
        )
        try #require(mount.exitCode == 0, "mounting a tmpfs takes root: \(mount.errors)")
        try await ChaosScript(name: "disk_full.py").passes(in: directory)
        let unmount = try await Command.run(["umount", small], in: directory.path)
        #expect(unmount.exitCode == 0, "\(unmount.errors)")
    }
}
