import ConnectorSDK
import Listening
import Testing

@testable import HTTPConnector

@Suite("Settings of the HTTP source")
struct HTTPSourceSettingsTests {
    private func settings(_ values: [String: String]) throws -> HTTPSourceSettings {
        try HTTPSourceSettings(Configuration(["topic": "t"].merging(values) { $1 }))
    }

    // D7
    @Test(
        "one client has a share of the buffer, and room for one body in any case",
        arguments: [
            (["buffer.bytes": "32MiB"], (32 << 20) / 100 * 50),
            (["buffer.bytes": "32MiB", "client.buffer.percent": "100"], (32 << 20) / 100 * 100),
            (["buffer.bytes": "8MiB", "max.body.bytes": "8MiB"], 8 << 20),
        ]
    )
    func share(values: [String: String], bytes: Int) throws {
        #expect(try settings(values).listener.clientBuffer == bytes)
    }

    // D9
    @Test(
        "what cannot work is refused with the key at fault",
        arguments: [
            (["buffer.bytes": "1MiB", "max.body.bytes": "2MiB"], "buffer.bytes"),
            (["topic": "t-${field:path}", "paths": "/in"], "topic"),
            (["health.path": "/"], "health.path"),
            (["tls.certificate.file": "server.crt"], "tls.key.file"),
        ]
    )
    func refused(values: [String: String], key: String) {
        do {
            _ = try settings(values)
            Issue.record("\(values) are taken")
        } catch let error as ConnectorError {
            #expect(error.configurationKey == key)
        } catch {
            Issue.record(error)
        }
    }
}
