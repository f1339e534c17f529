import ConnectorSDK
import Testing

@Suite("Spelling")
struct SpellingTests {
    @Test(
        "the nearest name is found when few letters differ",
        arguments: [
            ("topik", "topic"), ("tpoic", "topic"), ("nev", "env"), ("incude", "include"),
            ("includes", "include"), ("ENV", "env"), ("zzz", nil), ("", nil),
        ]
    )
    func nearest(word: String, name: String?) {
        #expect(Spelling.nearest(to: word, in: ["topic", "include", "env"]) == name)
    }
}
