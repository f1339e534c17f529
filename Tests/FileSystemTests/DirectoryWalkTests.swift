import FileSystem
import Foundation
import TestServices
import Testing

@Suite("Directory walk")
struct DirectoryWalkTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func walk(_ patterns: String..., skipping skipped: String? = nil) throws -> [String] {
        var walk = DirectoryWalk()
        if let skipped { walk.skip(directory.file(skipped)) }
        let files = walk.files(try patterns.map { try GlobPattern(directory.path + "/" + $0) })
        return files.map { String($0.path.dropFirst(directory.path.count + 1)) }
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: directory.file(name),
            withDestinationPath: directory.file(target)
        )
    }

    @Test("finds what the patterns match, each file once and sorted")
    func finds() throws {
        for name in ["b.txt", "a.txt", "sub/c.txt", "sub/deep/d.txt", ".hidden/e.txt", "f.csv"] {
            try directory.write("", to: name)
        }
        #expect(try walk("*.txt", "a.*", "b.txt") == ["a.txt", "b.txt"])
        #expect(try walk("**/*.txt") == ["a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt"])
        #expect(try walk("sub/**") == ["sub/c.txt", "sub/deep/d.txt"])
        #expect(try walk("*/*.txt") == ["sub/c.txt"])
        #expect(try walk(".hidden/*") == [".hidden/e.txt"])
        #expect(try walk("**/*.txt", skipping: "sub") == ["a.txt", "b.txt"])
        #expect(try walk("nothing/**", "nothing/*.x", "nothing") == [])
        #expect(try walk("sub", "sub/deep") == [], "directories are no files")
    }

    @Test("ends in a loop of links")
    func cycles() throws {
        try directory.write("", to: "x/a.txt")
        try directory.write("", to: "y/b.txt")
        try link("x/up", to: ".")
        try link("x/self", to: "x/self")
        try link("x/y", to: "y")
        try link("y/x", to: "x")
        let names = try walk("**/*.txt").map { $0.split(separator: "/").last.map(String.init) }
        #expect(Set(names) == ["a.txt", "b.txt"])
    }

    @Test("follows links to files, passes over broken ones and pipes")
    func links() throws {
        try directory.write("", to: "real/a.txt")
        try link("a.txt", to: "real/a.txt")
        try link("b.txt", to: "nowhere")
        mkfifo(directory.file("c.txt"), 0o600)
        #expect(try walk("*.txt") == ["a.txt"])
    }

    @Test("survives directories that vanish while it looks")
    func vanishing() async throws {
        for number in 0..<200 { try directory.write("", to: "d\(number)/sub/a.txt") }
        let path = directory.path
        async let removing: Void = {
            for number in 0..<200 {
                try? FileManager.default.removeItem(atPath: path + "/d\(number)")
            }
        }()
        for _ in 0..<20 { _ = try walk("**/*.txt", "*/sub/*.txt") }
        await removing
        #expect(try walk("**/*.txt") == [])
    }

    @Test("a name that is not UTF-8 is reported and not used")
    func invalidName() throws {
        let descriptor = open(directory.path + "/\u{1}", O_WRONLY | O_CREAT, 0o600)
        close(descriptor)
        var bytes = Array((directory.path + "/").utf8CString.dropLast())
        bytes += [CChar(bitPattern: 0xff), 0]
        close(open(bytes, O_WRONLY | O_CREAT, 0o600))
        var walk = DirectoryWalk()
        let files = walk.files([try GlobPattern(directory.path + "/*")])
        #expect(files.count == 1)
        #expect(walk.problems.count == 1)
    }
}
