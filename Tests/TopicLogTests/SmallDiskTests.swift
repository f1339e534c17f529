import ConnectorSDK
import Glibc
import Testing
import Topics

@testable import TopicLog

@Suite("A real disk without room")
struct SmallDiskTests {
    @Test("nothing is lost when the disk fills, and writing goes on when there is room")
    func fullDisk() throws {
        let scratch = try ScratchStore()
        // A tmpfs of 2 MiB where mounting is allowed; elsewhere a limit on bytes written.
        let disk = SmallDisk(scratch.path)
        defer { disk.unmount() }
        let store = try scratch.open { options in
            if let operations = disk.operations { options.operations = operations }
        }
        var settings = TopicSettings()
        settings.segmentBytes = 300_000
        try store.create("t", partitions: 2, settings: settings)
        disk.fill()
        var written: [[String]] = [[], []]
        var failures = 0
        var round = 0
        while failures < 3, round < 200 {
            round += 1
            let partition = round % 2
            let value = "\(round) " + String(repeating: "x", count: 50_000)
            do {
                let id = TopicPartition("t", Int32(partition))
                try store.makeProducer().append([value], to: id, position: "\(round)")
                written[partition].append(value)
            } catch let error as ConnectorError {
                #expect(error.code == .topicDiskFull || error.code == .topicState, "\(error)")
                #expect(error.kind == .environment)
                #expect(error.disposition == .retry(after: nil))
                failures += 1
            }
        }
        #expect(failures == 3)
        for partition in 0..<2 {
            let values = try store.values(TopicPartition("t", Int32(partition)))
            #expect(values == written[partition])
        }
        let position = try #require(try store.positions(of: "source")["p"])
        disk.makeRoom()
        try store.makeProducer().append(["room"], position: "last")
        #expect(try store.values().last == "room")
        store.close()
        #expect(Int(position) != nil)
        let report = try EmbeddedTopicStore.fsck(directory: scratch.path, repair: false)
        #expect(report.problems.isEmpty, "\(report)")
        let reopened = try scratch.open()
        #expect(try reopened.values(TopicPartition("t", 1)) == written[1])
        #expect(try reopened.positions(of: "source") == ["p": "last"])
    }
}

/// A file system with little room.
private final class SmallDisk {
    private let path: String
    private let isMounted: Bool
    private let files = FaultyFiles()

    init(_ path: String) {
        self.path = path
        isMounted = mount("tmpfs", path, "tmpfs", 0, "size=2m") == 0
    }

    /// The calls to use when no real file system could be mounted.
    var operations: FileOperations? { isMounted ? nil : files.operations }

    /// Leaves room for about 1 MiB.
    func fill() {
        if isMounted {
            try? writeFile(path + "/ballast", [UInt8](repeating: 1, count: 700_000))
        } else {
            files.setBytesLeft(1 << 20)
        }
    }

    func makeRoom() {
        unlink(path + "/ballast")
        files.setBytesLeft(nil)
    }

    func unmount() {
        if isMounted { umount2(path, Int32(MNT_DETACH)) }
    }
}
