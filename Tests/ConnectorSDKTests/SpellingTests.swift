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

    @Test(
        "of names with dots, parts may be left out",
        arguments: [
            ("token", "auth.bearer.tokens"), ("Token", "auth.bearer.tokens"),
            ("auth.token", "auth.bearer.tokens"), ("bearer", "auth.bearer.tokens"),
            ("timeout.ms", "request.timeout.ms"), ("signature", "signature.secret"),
            ("certificat", "tls.certificate.file"), ("ms", nil), ("max", nil), ("tokens.auth", nil),
            ("sevrity", nil),
        ]
    )
    func parts(word: String, name: String?) {
        let names = [
            "topic", "auth.bearer.tokens", "signature.secret", "signature.header",
            "request.timeout.ms", "max.body.bytes", "tls.certificate.file",
        ]
        #expect(Spelling.nearest(to: word, in: names) == name)
    }
}
