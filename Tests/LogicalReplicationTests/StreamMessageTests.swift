import LogicalReplication
import Testing

@Suite("Replication stream")
struct StreamMessageTests {
    @Test(
        "places are written and read as PostgreSQL does",
        arguments: [("0/0", 0), ("16/B374D848", 0x16_B374_D848), ("FFFFFFFF/FFFFFFFF", UInt64.max)]
    )
    func places(_ text: String, _ number: UInt64) {
        #expect(LSN(text)?.rawValue == number)
        #expect(LSN(number).description == text)
    }

    @Test(
        "what is no place is none",
        arguments: [
            "", "/", "1", "1/", "/1", "1/2/3", "-1/0", "+1/0", "1/+2", "x/0", "100000000/0",
        ]
    )
    func noPlace(_ text: String) {
        #expect(LSN(text) == nil)
    }

    @Test("data and keepalives are told apart, and cut ones are errors")
    func messages() throws {
        let data = MessageBuilder("w").int64(1).int64(2).int64(3).byte(9).bytes
        try data.withUnsafeBytes { bytes in
            guard case .data(let start, let time, let payload) = try StreamMessage(bytes) else {
                Issue.record("no data")
                return
            }
            #expect(start == LSN(1))
            #expect(time == ReplicationTime.epoch + 3)
            #expect(Array(payload) == [9])
        }
        let keepalive = MessageBuilder("k").int64(0x10).int64(0).byte(1).bytes
        try keepalive.withUnsafeBytes { bytes in
            guard case .keepalive(LSN(0x10), _, wantsReply: true) = try StreamMessage(bytes) else {
                Issue.record("no keepalive")
                return
            }
        }
        let short = [
            Array(data.dropLast(2)), Array(keepalive.dropLast()), keepalive + [0], [], [1],
        ]
        for sample in short {
            #expect(throws: ReplicationError.self) {
                try sample.withUnsafeBytes { _ = try StreamMessage($0) }
            }
        }
    }

    @Test("a status has 34 bytes, big-endian, its time counted from 2000")
    func status() {
        let status = StandbyStatus(written: LSN(3), flushed: LSN(2), applied: LSN(1))
        let expected = MessageBuilder("r").int64(3).int64(2).int64(1).int64(7).byte(0).bytes
        #expect(status.message(now: ReplicationTime.epoch + 7) == expected)
        #expect(expected.count == 34)
    }

    @Test("times that cannot be do not overflow")
    func times() {
        #expect(ReplicationTime.unixMicroseconds(.max) == .max)
        #expect(ReplicationTime.unixMicroseconds(.min) == .min + ReplicationTime.epoch)
    }
}
