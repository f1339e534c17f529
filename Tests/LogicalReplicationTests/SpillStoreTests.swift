import Foundation
import LogicalReplication
import TestServices
import Testing

@Suite("Transactions that are not complete")
struct SpillStoreTests {
    private let directory = try? TemporaryDirectory()

    private func store(memoryLimit: Int = 400) throws -> SpillStore {
        try SpillStore(directory: try path(), memoryLimit: memoryLimit)
    }

    private func path() throws -> String { try #require(directory).path + "/spill" }

    private func files() throws -> [String] {
        let path = try path()
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: path)
    }

    /// Keeps `text`, `number` being its place in the log.
    private func append(
        _ text: String,
        _ number: UInt64,
        to store: SpillStore,
        _ transaction: UInt32,
        _ subtransaction: UInt32? = nil
    ) throws {
        try Array(text.utf8).withUnsafeBytes { bytes in
            try store.append(
                bytes,
                lsn: LSN(number),
                transaction: transaction,
                subtransaction: subtransaction ?? transaction
            )
        }
    }

    private func texts(_ reader: SpillReader?) throws -> [String] {
        var texts: [String] = []
        while let message = try reader?.next() {
            let text = String(decoding: message.bytes, as: UTF8.self)
            texts.append("\(text)@\(message.lsn.rawValue)/\(message.subtransaction)")
        }
        return texts
    }

    @Test("messages come back in order, from memory and from files", arguments: [400, 1 << 20])
    func order(memoryLimit: Int) throws {
        let store = try store(memoryLimit: memoryLimit)
        for number in 0..<1_000 as Range<UInt64> {
            let text = String(repeating: "x", count: Int(number % 37))
            try append(text + "\(number)", number, to: store, 10 + UInt32(number % 3))
        }
        #expect(try files().count == (memoryLimit == 400 ? 3 : 0))
        for transaction in 10..<13 as Range<UInt32> {
            let expected = (0..<1_000).filter { $0 % 3 == transaction - 10 }.map { number in
                String(repeating: "x", count: number % 37) + "\(number)@\(number)/\(transaction)"
            }
            #expect(try texts(store.take(transaction)) == expected)
        }
        #expect(try files().isEmpty)
        #expect(store.take(10) == nil)
    }

    @Test("D7: a message larger than every buffer goes through the file")
    func large() throws {
        let store = try store()
        let large = String(repeating: "y", count: 3 << 20)
        try append("a", 1, to: store, 5)
        try append(large, 2, to: store, 5)
        try append("b", 3, to: store, 5)
        #expect(store.bytesOnDisk > 3 << 20)
        #expect(try texts(store.take(5)) == ["a@1/5", large + "@2/5", "b@3/5"])
    }

    @Test(
        "a subtransaction that is rolled back goes with its children, and nothing else",
        arguments: [0, 60, 1 << 20]
    )
    func subtransactions(memoryLimit: Int) throws {
        let store = try store(memoryLimit: memoryLimit)
        try append("a", 1, to: store, 10)
        try append("b", 2, to: store, 10, 11)
        try append("c", 3, to: store, 10)
        // A child's first message may stand before its parent's.
        try append("d", 4, to: store, 10, 13)
        try append("e", 5, to: store, 10, 12)
        for child in [12, 13] as [UInt32] { try store.abort(10, subtransaction: child) }
        try append("f", 6, to: store, 10)
        try append("g", 7, to: store, 10, 14)
        try append("h", 8, to: store, 10, 15)
        try store.abort(10, subtransaction: 15)
        // One that was never seen, as when all its changes were to tables not published.
        try store.abort(10, subtransaction: 99)
        try append("i", 9, to: store, 10, 14)
        let expected = ["a@1/10", "b@2/11", "c@3/10", "f@6/10", "g@7/14", "i@9/14"]
        #expect(try texts(store.take(10)) == expected)
    }

    @Test("subtransactions are found again when their numbers wrap around")
    func wrapping() throws {
        let store = try store(memoryLimit: 1 << 20)
        let top = UInt32.max - 1
        for (number, subtransaction) in [top, .max, 3, 4, 5].enumerated() {
            try append("\(number)", 0, to: store, top, subtransaction)
        }
        try store.abort(top, subtransaction: 4)
        let expected = ["0@0/\(top)", "1@0/\(UInt32.max)", "2@0/3"]
        #expect(try texts(store.take(top)) == expected)
    }

    @Test(
        "a million subtransactions, rolled back in one, take neither long nor much",
        .timeLimit(.minutes(10))
    )
    func manySubtransactions() throws {
        let store = try store(memoryLimit: 1 << 20)
        try append("first", 0, to: store, 1)
        for subtransaction in 2..<1_000_000 as Range<UInt32> {
            try append("x", 1, to: store, 1, subtransaction)
        }
        for subtransaction in 2..<1_000_000 as Range<UInt32> {
            try store.abort(1, subtransaction: subtransaction)
        }
        #expect(try texts(store.take(1)) == ["first@0/1"])
    }

    @Test("a transaction that is rolled back leaves no file")
    func abort() throws {
        let store = try store(memoryLimit: 0)
        try append("a", 1, to: store, 10)
        try append("b", 1, to: store, 20)
        #expect(try files().sorted() == ["10.changes", "20.changes"])
        try store.abort(10, subtransaction: 10)
        #expect(try files() == ["20.changes"])
        #expect(!store.contains(10))
        #expect(try texts(store.take(20)) == ["b@1/20"])
        #expect(try files().isEmpty)
    }

    @Test("files of a process that was killed are removed, others are left alone")
    func stale() throws {
        let path = try path()
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for name in ["12.changes", "notes.txt"] {
            try Data("old".utf8).write(to: URL(filePath: "\(path)/\(name)"))
        }
        _ = try store()
        #expect(try files() == ["notes.txt"])
    }

    @Test("a file that somebody has cut is an error, not other changes")
    func cutFile() throws {
        let store = try store(memoryLimit: 0)
        for number in 0..<10 as Range<UInt64> { try append("abc", number, to: store, 10) }
        #expect(truncate("\(try path())/10.changes", 100) == 0)
        let reader = store.take(10)
        let error = #expect(throws: SpillError.self) { try texts(reader) }
        #expect(error?.isDiskFull == false)
        #expect(error?.description.contains("not as it was left") == true)
    }

    @Test("a directory that cannot be written is an error that says so")
    func noDirectory() throws {
        let store = try SpillStore(directory: "/proc/none/spill", memoryLimit: 0)
        let error = #expect(throws: SpillError.self) { try append("a", 1, to: store, 10) }
        #expect(error?.operation == "create")
        #expect(error?.path == "/proc/none/spill")
    }
}
