import ConnectorSDK
import Listening
import Synchronization
import Testing

@Suite("Hand-over between threads")
struct HandOverTests {
    private final class Count: Sendable {
        private let value = Atomic<Int>(0)
        func add() { value.add(1, ordering: .relaxed) }
        var now: Int { value.load(ordering: .relaxed) }
    }

    // D7
    @Test("is full at its limit, and has room again when half of it is released")
    func bounds() {
        let room = Count()
        let queue = HandOver<Int>(limit: 100) { room.add() }
        #expect(queue.put(1, cost: 60))
        #expect(!queue.put(2, cost: 60))
        #expect(!queue.hasRoom)
        // What was under way is still taken.
        #expect(!queue.put(3, cost: 10))
        #expect(queue.takeAll() == [1, 2, 3])
        #expect(!queue.hasRoom, "taken is not released")
        queue.release(70)
        #expect(!queue.hasRoom && room.now == 0)
        queue.release(10)
        #expect(queue.hasRoom && room.now == 1)
        queue.release(50)
        #expect(queue.cost == 0 && room.now == 1)
    }

    @Test("wakes whoever takes when there was nothing to take")
    func wakes() {
        let wakes = Count()
        let queue = HandOver<Int>(limit: 100) {}
        queue.whenPut { wakes.add() }
        queue.put(1, cost: 1)
        queue.put(2, cost: 1)
        #expect(wakes.now == 1)
        _ = queue.takeAll()
        queue.put(3, cost: 1)
        #expect(wakes.now == 2)
    }

    // D6
    @Test("what is refused is reported once, with the sum of all")
    func refusals() {
        let log = RefusalLog()
        log.note(.timeout, "10.0.0.1")
        log.note(.timeout, "10.0.0.2")
        log.note(.datagrams, count: 7, "udp")
        let report = log.takeReport()
        #expect(report.map(\.count) == [2, 7] || report.map(\.count) == [7, 2])
        #expect(report.first { $0.reason == .timeout }?.latest == "10.0.0.2")
        #expect(log.takeReport().isEmpty)
        log.note(.timeout, "10.0.0.3")
        #expect(log.takeReport().map(\.total) == [3])
    }

    @Test("positions are counts")
    func positions() {
        let position = ListenerPosition.position(12)
        #expect(ListenerPosition.count(in: [position.partition: position.offset]) == 12)
        #expect(ListenerPosition.count(in: [:]) == 0)
        #expect(ListenerPosition.count("{\"count\":x}") == nil)
    }

    @Test("addresses are told from what is none")
    func addresses() {
        #expect(ListenAddress(hostAndPort: "[::1]:80")?.description == "[::1]:80")
        #expect(ListenAddress(hostAndPort: ":80")?.description == "127.0.0.1:80")
        for bad in ["80", "a:b", "a:99999", "::1:80", "a:-1", ""] {
            #expect(ListenAddress(hostAndPort: bad) == nil, "\(bad)")
        }
    }
}
