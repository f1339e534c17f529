import Testing

@testable import FileConnector

@Suite("Beginnings of files")
struct StartIndexTests {
    private static let texts = [
        "", "a", "abcdefghijklmnopqr", "abcdefghijklmnopqrstuvwxyz0123456789", "b",
    ]
    private static let lengths = [0, 1, 2, 14, 15, 16, 17, 31, 32, 33, 64, 100, 4_096]
    /// Beginnings that are the same for a while, or are shorter than others.
    private static let all = texts.flatMap { text in
        lengths.map { length in
            Array((text + String(repeating: ".", count: length)).utf8.prefix(length))
        }
    }

    /// Whether a file that begins with some bytes may hold a content that begins with others.
    private func mayHold(_ file: [UInt8], _ content: [UInt8]) -> Bool {
        guard !content.isEmpty else { return false }
        return ContentStart(content).agrees(with: file) == true
    }

    @Test("no content is left out that a file holds, whatever the lengths of both")
    func contents() {
        var index = StartIndex<Int>()
        for (number, bytes) in Self.all.enumerated() { index.add(number, ContentStart(bytes)) }
        for file in Self.all {
            let found = Set(index.similar(to: Beginning(file)))
            for (number, content) in Self.all.enumerated() where mayHold(file, content) {
                #expect(found.contains(number), "\(content.count) in \(file.count)")
            }
        }
    }

    @Test("no file is left out that holds a content")
    func files() {
        var index = StartIndex<Int>()
        for (number, bytes) in Self.all.enumerated() { index.add(number, Beginning(bytes)) }
        for content in Self.all {
            let found = Set(index.similar(to: ContentStart(content)))
            for (number, file) in Self.all.enumerated() where mayHold(file, content) {
                #expect(found.contains(number), "\(content.count) in \(file.count)")
            }
        }
    }

    @Test("one whose beginning is not known may be any")
    func unknown() {
        var contents = StartIndex<Int>()
        contents.add(0, nil as ContentStart?)
        contents.add(1, ContentStart(Array("one that is known".utf8)))
        #expect(contents.similar(to: Beginning(Array("another one".utf8))) == [0])
        var files = StartIndex<Int>()
        files.add(0, nil as Beginning?)
        files.add(1, Beginning(Array("one that is known".utf8)))
        #expect(files.similar(to: ContentStart(Array("another one".utf8))) == [0])
    }
}
