import FileSystem
import Foundation
import TestServices
import Testing

@Suite("File identities")
struct FileIdentityTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func identify(_ name: String) throws -> FileIdentity {
        let file = try OpenFile(directory.file(name), .reading)
        return try FileIdentity(file, file.information())
    }

    private func matches(_ identity: FileIdentity, _ name: String) throws -> Bool {
        let file = try OpenFile(directory.file(name), .reading)
        return try identity.matches(file, file.information())
    }

    private func append(_ text: String, to name: String) throws {
        let file = try OpenFile(directory.file(name), .appending)
        try Array(text.utf8).withUnsafeBytes { try file.write($0) }
    }

    @Test("a file that grows or is renamed is the same file")
    func stays() throws {
        try directory.write("a line\n", to: "a")
        let identity = try identify("a")
        #expect(identity.fingerprint.length == 7)
        try append(String(repeating: "another\n", count: 2_000), to: "a")
        #expect(try matches(identity, "a"))
        try FileSystem.rename(directory.file("a"), toNew: directory.file("b"))
        #expect(try matches(identity, "b"))
        #expect(try identify("b").fingerprint.length == FileFingerprint.limit)
    }

    @Test("a copy, a shorter file and another beginning are other files")
    func differs() throws {
        try directory.write("one line\n", to: "a")
        let identity = try identify("a")
        try directory.write("one line\n", to: "copy")
        #expect(try !matches(identity, "copy"))
        let file = try OpenFile(directory.file("a"), .appending)
        try file.truncate(to: 4)
        #expect(try !matches(identity, "a"))
        #expect(try identity.fingerprint.matches(OpenFile(directory.file("a"), .reading)) == nil)
        try append("LINE\n", to: "a")
        #expect(try !matches(identity, "a"))
        #expect(try identity.fingerprint.matches(OpenFile(directory.file("a"), .reading)) == false)
        #expect(try identity.isNode(file.information()))
    }
}
