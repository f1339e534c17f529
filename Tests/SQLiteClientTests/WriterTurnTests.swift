import Testing

@testable import SQLiteClient

@Suite("SQLite: whose turn it is to write")
struct WriterTurnTests {
    @Test("a turn is passed to whoever waited longest, and a ticket given up is no obstacle")
    func writerTurn() {
        let turn = WriterTurn()
        #expect(turn.take(within: .zero))
        #expect(!turn.take(within: .milliseconds(1)))
        turn.pass()
        #expect(turn.take(within: .zero))
        turn.pass()
    }
}
