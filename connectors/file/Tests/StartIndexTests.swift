import Testing

@testable import FileConnector

@Suite("Beginnings of files")
struct StartIndexTests {
    /// The same for as long as two numbers have the same digits.
    private func start(_ text: String, _ length: Int) -> ContentStart {
        ContentStart(Array((text + String(repeating: ".", count: length)).utf8.prefix(length)))
    }

    @Test("none is left out that agrees, whatever the lengths of both")
    func complete() {
        let texts = ["", "a", "abcdefghijklmnopqr", "abcdefghijklmnopqrstuvwxyz0123456789", "b"]
        let lengths = [0, 1, 15, 16, 17, 31, 32, 33, 64, 100, 4_096]
        let all = texts.flatMap { text in lengths.map { start(text, $0) } }
        var index = StartIndex<Int>()
        for (number, start) in all.enumerated() { index.add(number, start) }
        for start in all {
            let found = Set(index.similar(to: start))
            for (number, other) in all.enumerated() where start.agrees(with: other) != false {
                #expect(found.contains(number), "\(start.length) \(other.length)")
            }
        }
    }

    @Test("of thousands with beginnings of their own, one is found for each")
    func few() {
        var index = StartIndex<Int>()
        let starts = (0..<5_000).map { start("\($0) is the number of this line", 100) }
        for (number, start) in starts.enumerated() { index.add(number, start) }
        for (number, start) in starts.enumerated() {
            #expect(index.similar(to: start) == [number])
        }
    }

    @Test("one whose beginning is not known may be any")
    func unknown() {
        var index = StartIndex<Int>()
        index.add(0, nil)
        index.add(1, start("a", 100))
        #expect(index.similar(to: start("b", 100)) == [0])
        #expect(index.similar(to: ContentStart()) == [0, 1])
    }
}
