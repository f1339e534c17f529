import Testing

@testable import PostgresConnector

@Suite("PostgreSQL sink: whether rows exist")
struct KeyPresenceTests {
    @Test("it is looked until all rows of a piece existed, and again when one did not")
    func follows() {
        var presence = KeyPresence()
        #expect(presence.way == .find)
        presence.found(0, of: 600)
        #expect(presence.way == .find)
        presence.found(600, of: 600)
        #expect(presence.way == .change)
        presence.found(0, of: 600)
        #expect(presence.way == .find)
    }

    @Test("rows of both kinds are merged, and after some pieces it is looked again")
    func mixed() {
        var presence = KeyPresence()
        presence.found(1, of: 600)
        for _ in 0..<KeyPresence.mergesInARow {
            #expect(presence.way == .merge)
            presence.merged()
        }
        #expect(presence.way == .find)
    }
}
