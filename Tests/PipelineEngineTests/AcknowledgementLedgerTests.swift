import ConnectorSDK
import Testing

@testable import PipelineEngine

@Suite("Acknowledgement ledger")
struct AcknowledgementLedgerTests {
    private func position(_ part: String, _ place: Int) -> SourcePosition {
        SourcePosition(partition: part, offset: String(place))
    }

    @Test("D1: releases only what is durable, and each position once")
    func prefix() {
        var ledger = AcknowledgementLedger()
        ledger.sent(ticket: 1, position: position("a", 1), records: 10, bytes: 100)
        ledger.sent(ticket: 2, position: position("a", 2), records: 20, bytes: 200)
        ledger.sent(ticket: 3, position: position("b", 1), records: 1, bytes: 5)
        #expect(ledger.durable(through: 0) == .init())
        let first = ledger.durable(through: 2)
        #expect(first.positions == [position("a", 2)])
        #expect(first.records == 30)
        #expect(first.bytes == 300)
        #expect(ledger.durable(through: 2) == .init())
        #expect(!ledger.isSettled)
        #expect(ledger.lastTicket == 3)
        #expect(ledger.durable(through: 9).positions == [position("b", 1)])
        #expect(ledger.isSettled)
        #expect(ledger.lastTicket == nil)
    }

    @Test("gives the last position of each part, in the order in which parts were first sent")
    func parts() {
        var ledger = AcknowledgementLedger()
        for (ticket, part) in ["b", "a", "b", "a", "c"].enumerated() {
            ledger.sent(
                ticket: Int64(ticket),
                position: position(part, ticket),
                records: 1,
                bytes: 1
            )
        }
        let released = ledger.durable(through: 3)
        #expect(released.positions == [position("b", 2), position("a", 3)])
    }

    @Test("what has no position is waited for and not acknowledged")
    func withoutPosition() {
        var ledger = AcknowledgementLedger()
        ledger.sent(ticket: 1, position: position("a", 1), records: 1, bytes: 1)
        ledger.sent(ticket: 2, position: nil, records: 0, bytes: 0)
        #expect(ledger.durable(through: 1).positions == [position("a", 1)])
        #expect(ledger.lastTicket == 2)
        #expect(ledger.durable(through: 2) == .init())
        #expect(ledger.isSettled)
    }

    @Test("D7: forgets what was released, however long it runs without settling")
    func bounded() {
        var ledger = AcknowledgementLedger()
        var released: Int64 = 0
        for ticket in 1...10_000 as ClosedRange<Int64> {
            ledger.sent(ticket: ticket, position: position("a", Int(ticket)), records: 1, bytes: 1)
            released += ledger.durable(through: ticket - 1).records
        }
        #expect(released == 9_999)
        #expect(ledger.retainedEntries < 2_000)
    }
}
