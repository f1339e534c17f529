import FileSystem
import Testing

@Suite("Rotated names")
struct RotatedNameTests {
    @Test(
        "belong to the name that they had before",
        arguments: [
            ("app.log", "app.log"), ("app.log.1", "app.log"), ("app.log.12.gz", "app.log"),
            ("app.log-20261121", "app.log"), ("app.log-20261121.zst", "app.log"),
            ("app.log-2026-11-21T08:15:00Z", "app.log"), ("app.log.2026-11-21-08", "app.log"),
            ("app-2026-11-21.log", "app.log"), ("app-2026-11-21.log.gz", "app.log"),
            ("app.1.log", "app.log"), ("app.log.old", "app.log"), ("app.log~", "app.log"),
            ("app.log.bak.1", "app.log"), ("app", "app"), ("app.1", "app"), ("1.log", "1.log"),
            ("web1.log", "web1.log"), ("web2.log", "web2.log"), ("2026.log", "2026.log"),
            (".gz", ".gz"), ("a.gz", "a"), ("", ""), ("0.log.20261121-081500", "0.log"),
            ("v1.2.3.log", "v1.log"), ("syslog", "syslog"), ("syslog.2.gz", "syslog"),
        ]
    )
    func families(_ name: String, _ family: String) {
        #expect(RotatedName.family(of: name) == family)
    }

    @Test("say whether they are compressed")
    func compressed() {
        #expect(RotatedName.isCompressed("a.log.gz"))
        #expect(RotatedName.isCompressed("a.zst"))
        #expect(!RotatedName.isCompressed("a.log"))
        #expect(!RotatedName.isCompressed(".gz"))
    }
}
