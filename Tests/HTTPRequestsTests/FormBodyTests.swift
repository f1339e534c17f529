import HTTPRequests
import Testing

@Suite("Forms")
struct FormBodyTests {
    private func names(_ text: String) throws -> [String] {
        try Array(text.utf8).withUnsafeBytes { try FormBody($0).names }
    }

    @Test("fields are in the order of the form")
    func order() throws {
        #expect(try names("b=1&a=%C3%A9&&c&b=2") == ["b", "a", "c"])
        #expect(try names("") == [])
    }

    // D9
    @Test("what is no form is told", arguments: ["a=%", "a=%4", "a=%zz", "%ff=1", "a=%ff"])
    func broken(_ text: String) {
        #expect(throws: FormBody.Problem.self) { try names(text) }
    }
}
