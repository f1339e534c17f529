import LogicalReplication
import Testing

@testable import PostgresCDCConnector

@Suite("What the server is told")
struct ReceiveSessionTests {
    private let start = ContinuousClock.now
    private let interval = Duration.seconds(10)

    private func keepalive(_ place: UInt64, wantsReply: Bool) -> [UInt8] {
        [UInt8(ascii: "k")] + withUnsafeBytes(of: place.bigEndian) { Array($0) }
            + [UInt8](repeating: 0, count: 8) + [wantsReply ? 1 : 0]
    }

    @Test("D1: nothing but what is durable is confirmed, whatever has arrived")
    func confirmed() {
        var session = ReceiveSession(confirmed: LSN(5))
        keepalive(1_000, wantsReply: true).withUnsafeBytes { session.arrived($0) }
        let status = session.status(confirmed: LSN(5), asks: false, at: start, interval: interval)
        #expect(status?.written == LSN(1_000))
        #expect(status?.flushed == LSN(5))
        #expect(status?.applied == LSN(5))
    }

    @Test("a question is answered at once, silence ends after the interval, progress soon")
    func moments() {
        var session = ReceiveSession(confirmed: LSN(5))
        func status(_ confirmed: UInt64, after: Duration, asks: Bool = false) -> StandbyStatus? {
            session.status(
                confirmed: LSN(confirmed),
                asks: asks,
                at: start + after,
                interval: interval
            )
        }
        #expect(status(5, after: .zero) != nil, "the first says where we are")
        #expect(status(5, after: .seconds(9)) == nil)
        #expect(status(5, after: .seconds(10)) != nil)
        #expect(status(6, after: .seconds(10) + .milliseconds(1)) == nil)
        #expect(
            session.timeUntilStatus(
                confirmed: LSN(6),
                at: start + .seconds(10) + .milliseconds(1),
                interval: interval
            ) == .milliseconds(19)
        )
        #expect(status(6, after: .seconds(10) + .milliseconds(20))?.flushed == LSN(6))
        #expect(status(6, after: .seconds(10) + .milliseconds(21)) == nil)
        keepalive(7, wantsReply: false).withUnsafeBytes { session.arrived($0) }
        #expect(status(6, after: .seconds(10) + .milliseconds(22)) == nil)
        keepalive(7, wantsReply: true).withUnsafeBytes { session.arrived($0) }
        #expect(status(6, after: .seconds(10) + .milliseconds(23)) != nil)
        #expect(status(6, after: .seconds(10) + .milliseconds(24), asks: true)?.wantsReply == true)
    }
}
