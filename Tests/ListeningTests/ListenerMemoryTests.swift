import Listening
import Testing

@Suite("Memory of a listener")
struct ListenerMemoryTests {
    // D7: one client leaves room to others.
    @Test("a client that has its share gets no more until it gives some back; others do")
    func shares() {
        let memory = ListenerMemory(total: 1_000, each: 100)
        #expect(memory.begin("a", second: 0) == nil)
        #expect(memory.reserve(60, for: "a") == nil)
        #expect(memory.reserve(41, for: "a") == .client)
        #expect(memory.reserve(40, for: "a") == nil)
        #expect(memory.begin("a", second: 0) == .client)
        #expect(memory.begin("b", second: 0) == nil)
        #expect(memory.reserve(100, for: "b") == nil)
        memory.release(40, of: "a")
        #expect(memory.begin("a", second: 0) == nil)
        #expect(memory.reserve(40, for: "a") == nil)
    }

    // D7: all of them together get no more than there is.
    @Test("what is not there is not given to anybody")
    func total() {
        let memory = ListenerMemory(total: 150, each: 100)
        #expect(memory.reserve(100, for: "a") == nil)
        #expect(memory.reserve(51, for: "b") == .all)
        #expect(memory.reserve(50, for: "b") == nil)
        #expect(memory.reserve(1, for: "c") == .all)
        memory.release(100, of: "a")
        #expect(memory.reserve(100, for: "c") == nil)
        #expect(memory.reserve(0, for: "d") == nil)
    }

    @Test("what is there already counts for its client, beyond its share too, and for no other")
    func added() {
        let memory = ListenerMemory(total: 100, each: 100)
        memory.add(150, for: "a")
        #expect(memory.begin("a", second: 0) == .client)
        #expect(memory.reserve(100, for: "b") == nil)
        memory.release(100, of: "b")
        memory.remove(51, of: "a")
        #expect(memory.begin("a", second: 0) == nil)
        #expect(memory.reserve(2, for: "a") == .client)
    }

    @Test("a client makes so many requests in a second, and as many in the next")
    func rate() {
        let memory = ListenerMemory(total: 100, each: 100, rate: 2)
        #expect(memory.begin("a", second: 7) == nil)
        #expect(memory.begin("a", second: 7) == nil)
        #expect(memory.begin("a", second: 7) == .rate)
        #expect(memory.begin("b", second: 7) == nil)
        #expect(memory.begin("a", second: 8) == nil)
    }

    @Test("who has given back everything is forgotten")
    func forgotten() {
        let memory = ListenerMemory(total: 10_000, each: 100)
        for client in 0..<1_000 { #expect(memory.reserve(1, for: "\(client)") == nil) }
        #expect(memory.clients == 1_000)
        for client in 0..<1_000 { memory.release(1, of: "\(client)") }
        #expect(memory.clients == 0)
    }
}
