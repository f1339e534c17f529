import Listening
import Testing

@Suite("Client shares")
struct ClientSharesTests {
    // D7: one client leaves room to others.
    @Test("a client that has its share gets no more until it gives some back; others do")
    func memory() {
        let shares = ClientShares(memory: 100, rate: 0)
        #expect(shares.begin("a", second: 0) == nil)
        #expect(shares.reserve(60, for: "a"))
        #expect(!shares.reserve(41, for: "a"))
        #expect(shares.reserve(40, for: "a"))
        #expect(shares.begin("a", second: 0) == .memory)
        #expect(shares.begin("b", second: 0) == nil)
        #expect(shares.reserve(100, for: "b"))
        shares.release(40, of: "a")
        #expect(shares.begin("a", second: 0) == nil)
        #expect(shares.reserve(40, for: "a"))
    }

    @Test("what is there already counts, beyond the share too")
    func added() {
        let shares = ClientShares(memory: 100, rate: 0)
        shares.add(150, for: "a")
        #expect(shares.begin("a", second: 0) == .memory)
        shares.release(51, of: "a")
        #expect(shares.begin("a", second: 0) == nil)
        #expect(!shares.reserve(2, for: "a"))
    }

    @Test("a client makes so many requests in a second, and as many in the next")
    func rate() {
        let shares = ClientShares(memory: 100, rate: 2)
        #expect(shares.begin("a", second: 7) == nil)
        #expect(shares.begin("a", second: 7) == nil)
        #expect(shares.begin("a", second: 7) == .rate)
        #expect(shares.begin("b", second: 7) == nil)
        #expect(shares.begin("a", second: 8) == nil)
    }

    @Test("who has given back everything is forgotten")
    func forgotten() {
        let shares = ClientShares(memory: 100, rate: 0)
        for client in 0..<1_000 { #expect(shares.reserve(1, for: "\(client)")) }
        #expect(shares.clients == 1_000)
        for client in 0..<1_000 { shares.release(1, of: "\(client)") }
        #expect(shares.clients == 0)
    }
}
