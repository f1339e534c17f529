import ConnectorSDK
import Foundation
import TestServices
import Testing

@testable import FileSystem

@Suite("File system")
struct FileSystemTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test(
        "a number goes before the extension",
        arguments: [
            ("a.csv", "a-1.csv"), ("d.x/a", "d.x/a-1"), ("d/a.b.csv", "d/a.b-1.csv"),
            ("a.csv.gz", "a-1.csv.gz"), ("a.gz", "a-1.gz"), (".hidden", ".hidden-1"),
            ("d/.h.txt", "d/.h-1.txt"), ("a", "a-1"), ("", "-1"),
        ]
    )
    func numbered(_ path: String, _ wanted: String) {
        #expect(FileSystem.numbered(path, "1") == wanted)
    }

    @Test(
        "paths are tidied without looking at the disk",
        arguments: [
            ("./a", "a"), ("a//b/./c", "a/b/c"), ("/", "/"), ("/./a/", "/a"), (".", "."),
            ("a/../b", "a/../b"), ("", "."),
        ]
    )
    func tidy(_ path: String, _ wanted: String) {
        #expect(FileSystem.tidy(path) == wanted)
    }

    @Test("moving gives a number to a name that is taken, by rename and by copy")
    func moving() throws {
        for number in 0..<4 {
            let path = try directory.write("\(number)", to: "a.txt")
            let target = directory.file("to")
            if number % 2 == 0 {
                try FileSystem.move(path, into: target)
            } else {
                _ = try FileSystem.copyAndRemove(path, into: target)
            }
            #expect(try FileInformation.of(path) == nil)
        }
        for (name, text) in ["a": "0", "a-1": "1", "a-2": "2", "a-3": "3"] {
            #expect(try directory.read("to/\(name).txt") == text)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.file("to"))
        #expect(names.count == 4)
    }

    @Test("content is replaced as a whole")
    func replacing() throws {
        let path = directory.file("state")
        for text in ["one", "", "three"] {
            try text.utf8CString.dropLast().withUnsafeBytes {
                try FileSystem.replaceContent(of: path, with: $0)
            }
            let content = try #require(try FileSystem.content(of: path, limit: 100))
            #expect(String(decoding: content, as: UTF8.self) == text)
        }
        #expect(try FileSystem.content(of: directory.file("none"), limit: 100) == nil)
    }

    @Test("an error says what was tried, on what, and whether to try again")
    func errors() {
        let full = FileSystemError("write", "/a", ENOSPC).connectorError
        #expect(full.disposition == .retry(after: nil))
        #expect(full.kind == .environment)
        #expect(full.message == "Cannot write /a: no space left on device.")
        #expect(FileSystemError("open", "/a", EACCES).connectorError.disposition == .failTask)
    }
}
