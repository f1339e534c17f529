import Foundation
import TestServices
import Testing

@Suite("millrace fsck", .timeLimit(.minutes(10)))
struct FsckTests {
    private func makeData() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try await directory.millrace("topics", "create", "t")
        try await directory.millrace("topics", "write", "t", input: "first\nsecond\n")
        return directory
    }

    private let segment = ".millrace/topics/t-0/00000000000000000000.log"

    @Test("a sound data directory is clean")
    func sound() async throws {
        let directory = try await makeData()
        let result = try await directory.millrace("fsck", "--json")
        #expect(result.exitCode == 0, "\(result.errors)")
        let report = try result.json()
        #expect(report["clean"] as? Bool == true)
        #expect(report["records"] as? Int == 2)
        #expect((report["problems"] as? [Any])?.isEmpty == true)
    }

    @Test("a damaged record is found, and the exit code is 1")
    func damaged() async throws {
        let directory = try await makeData()
        let file = URL(filePath: directory.file(segment))
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count - 10] ^= 0xFF
        try bytes.write(to: file)
        let result = try await directory.millrace("fsck", "--json")
        #expect(result.exitCode == 1)
        let problems = try #require(try result.json()["problems"] as? [[String: Any]])
        #expect(
            problems.contains { $0["kind"] as? String == "damage" && $0["loss"] as? Bool == true }
        )
        #expect(try Data(contentsOf: file) == bytes)
    }

    @Test("without a data directory it says so")
    func noData() async throws {
        let result = try await TemporaryDirectory().millrace("fsck")
        #expect(result.exitCode == 2)
        #expect(result.errors.contains("There is no data directory `.millrace`."))
    }
}
