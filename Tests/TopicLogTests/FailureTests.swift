import ConnectorSDK
import Glibc
import SQLiteClient
import Testing
import Topics

@testable import TopicLog

@Suite("Failing disks")
struct FailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var call: FaultyFiles.Call
        var number: Int
        var fault: FaultyFiles.Fault
        var code: ConnectorError.Code

        var testDescription: String { "\(call) \(number) \(fault.testDescription)" }
    }

    static let cases: [Case] =
        (0..<4).flatMap { number in
            [
                Case(call: .write, number: number, fault: .fail(ENOSPC), code: .topicDiskFull),
                Case(call: .write, number: number, fault: .fail(EDQUOT), code: .topicDiskFull),
                Case(call: .write, number: number, fault: .fail(EIO), code: .topicInputOutput),
                Case(call: .write, number: number, fault: .short(ENOSPC), code: .topicDiskFull),
            ]
        }
        + (0..<2).flatMap { number in
            [
                Case(
                    call: .synchronize,
                    number: number,
                    fault: .fail(EIO),
                    code: .topicInputOutput
                ),
                Case(
                    call: .synchronize,
                    number: number,
                    fault: .fail(ENOSPC),
                    code: .topicDiskFull
                ),
            ]
        }

    @Test("a unit that cannot be written has no effect, and the store goes on", arguments: cases)
    func failedGroup(item: Case) throws {
        let scratch = try ScratchStore()
        let files = FaultyFiles()
        let store = try scratch.open { $0.operations = files.operations }
        try store.create("t", partitions: 2, settings: TopicSettings())
        let first = try store.makeProducer()
        try first.append(["kept"], position: "1")
        let gate = Gate(files)
        let producer = try store.makeProducer()
        // The gate holds the unit before it, so that what follows is one group.
        _ = try first.submit([TestRecord(value: "group of its own")], position: "2")
        gate.waitUntilHeld()
        for number in 0..<4 {
            let partition = TopicPartition("t", Int32(number % 2))
            try producer.submit([TestRecord(value: "lost")], to: partition, position: "3")
        }
        files.inject(item.fault, into: item.call, number: item.number + gate.offset(item.call))
        gate.open()
        let error = #expect(throws: ConnectorError.self) {
            try producer.waitUntilDurable(through: 4, deadline: nil)
        }
        #expect(error?.code == item.code)
        #expect(error?.kind == .environment)
        #expect(error?.disposition == .retry(after: nil))
        #expect(throws: ConnectorError.self) { try producer.submit([TestRecord(value: "x")]) }

        let committed = ["kept", "group of its own"]
        #expect(try store.values() == committed)
        #expect(try store.values(TopicPartition("t", 1)) == [])
        #expect(try store.positions(of: "source") == ["p": "2"])
        // D10: as it is now, and after going on, the directory is sound.
        let copy = try scratch.copy()
        #expect(try copy.open().values() == committed)
        try store.makeProducer().append(["again"], position: "4")
        try store.makeProducer().append(["other"], to: TopicPartition("t", 1))
        #expect(try store.values() == committed + ["again"])
        store.close()
        let reopened = try scratch.open()
        #expect(!reopened.recovery.findings.contains { $0.isLoss })
        #expect(try reopened.values() == committed + ["again"])
        #expect(try reopened.values(TopicPartition("t", 1)) == ["other"])
        reopened.close()
        #expect(try EmbeddedTopicStore.fsck(directory: scratch.path, repair: false).isClean)
    }

    @Test("after a failed fdatasync the end of the segment is written again")
    func repairAfterFailedSynchronize() throws {
        let scratch = try ScratchStore()
        let files = FaultyFiles()
        let store = try scratch.open { $0.operations = files.operations }
        try store.create("t", partitions: 1, settings: TopicSettings())
        try store.makeProducer().append(["a"])
        let before = try readFile(scratch.file())
        files.inject(.fail(EIO), into: .synchronize)
        #expect(throws: ConnectorError.self) { try store.makeProducer().append(["b"]) }
        #expect(try readFile(scratch.file()) == before)
        // The repair fails as well: still nothing is appended.
        files.inject(.fail(EIO), into: .synchronize)
        #expect(throws: ConnectorError.self) { try store.makeProducer().append(["c"]) }
        let synchronized = files.count(.synchronize)
        try store.makeProducer().append(["d"])
        // Once for the repair, once for the record.
        #expect(files.count(.synchronize) == synchronized + 2)
        #expect(try store.values() == ["a", "d"])
    }

    @Test("a truncation that fails is made up for before the next append")
    func failedTruncation() throws {
        let scratch = try ScratchStore()
        let files = FaultyFiles()
        let store = try scratch.open { $0.operations = files.operations }
        try store.create("t", partitions: 1, settings: TopicSettings())
        try store.makeProducer().append(["a"])
        files.inject(.short(ENOSPC), into: .write)
        files.inject(.fail(EIO), into: .truncate)
        #expect(throws: ConnectorError.self) {
            try store.makeProducer().append([String(repeating: "x", count: 5_000)])
        }
        try store.makeProducer().append(["b"])
        #expect(try store.values() == ["a", "b"])
        store.close()
        #expect(try scratch.open().values() == ["a", "b"])
    }

    @Test("a full disk stops writing cleanly, and writing goes on when there is room")
    func fullDisk() throws {
        let scratch = try ScratchStore()
        let files = FaultyFiles()
        let store = try scratch.open { $0.operations = files.operations }
        var settings = TopicSettings()
        settings.segmentBytes = 4_096
        try store.create("t", partitions: 1, settings: settings)
        files.setBytesLeft(20_000)
        var written: [String] = []
        var error: ConnectorError?
        while error == nil, written.count < 1_000 {
            let values = numbered(written.count..<written.count + 10)
            do {
                try store.makeProducer().append(values, position: "\(written.count)")
                written += values
            } catch let failure as ConnectorError {
                error = failure
            }
        }
        #expect(error?.code == .topicDiskFull)
        #expect(try store.values() == written)
        #expect(throws: ConnectorError.self) { try store.makeProducer().append(["no room"]) }
        let copy = try scratch.copy()
        #expect(try copy.open().values() == written)
        files.setBytesLeft(nil)
        try store.makeProducer().append(["room"])
        #expect(try store.values() == written + ["room"])
    }

    @Test("a state database without room leaves nothing behind of the group")
    func fullStateDatabase() throws {
        let scratch = try ScratchStore()
        let store = try scratch.open()
        try store.create("t", partitions: 1, settings: TopicSettings())
        try store.makeProducer().append(["a"], position: "1")
        // No page more: a position that needs some cannot be stored.
        try store.data.perform { (worker) throws(ConnectorError) in
            try worker.state.state.attempt { () throws(SQLiteFailure) in
                try worker.state.state.database.execute("PRAGMA max_page_count = 1")
            }
        }
        let long = String(repeating: "9", count: 100_000)
        let error = #expect(throws: ConnectorError.self) {
            try store.makeProducer().append(["b"], position: long)
        }
        #expect(error?.code == .topicDiskFull)
        #expect(try store.values() == ["a"])
        try store.makeProducer().append(["c"], position: "2")
        #expect(try store.values() == ["a", "c"])
        #expect(try store.positions(of: "source") == ["p": "2"])
        store.close()
        #expect(try scratch.open().values() == ["a", "c"])
    }
}

/// Holds the committer in an fdatasync until it is opened.
private final class Gate: Sendable {
    private let state = Monitor((isHeld: false, isOpen: false))
    private let files: FaultyFiles

    init(_ files: FaultyFiles) {
        self.files = files
        files.setHook { [state] call in
            guard call == .synchronize else { return }
            state.update { $0.isHeld = true }
            _ = state.wait { $0.isOpen ? true : nil }
        }
    }

    func waitUntilHeld() {
        let isHeld = state.wait(until: .now + .seconds(30)) { $0.isHeld ? true : nil }
        #expect(isHeld == true, "Nothing was synchronized.")
    }

    /// Calls that the group which is held has still to make.
    func offset(_ call: FaultyFiles.Call) -> Int {
        // The fdatasync that is held, and no write: small groups have no index entries.
        call == .synchronize ? 1 : 0
    }

    func open() {
        files.setHook(nil)
        state.update { $0.isOpen = true }
    }
}
