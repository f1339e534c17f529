import Testing

@testable import JQPrograms

@Suite("The thread of a program in jq's language")
struct JQThreadTests {
    // D7: it has a deep stack, and a task that begins again makes another.
    @Test("ends with its owner")
    func ending() throws {
        weak var remains: JQThread?
        do {
            let thread = try JQThread(memory: 1 << 20)
            remains = thread
            #expect(remains != nil)
        }
        #expect(remains == nil)
    }
}
