import KafkaClient
import Testing

@Suite("Kafka settings")
struct KafkaSettingsTests {
    // D8: no secret in an error or a log.
    @Test(
        "a value that is secret is never shown",
        arguments: [
            "sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem",
            "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config",
        ]
    )
    func secrets(_ key: String) {
        let settings = KafkaSettings(["bootstrap.servers": "host:1", key: "hunter2"])
        #expect(!"\(settings)".contains("hunter2"))
        #expect(!String(reflecting: settings).contains("hunter2"))
        #expect("\(settings)" == "bootstrap.servers=host:1 \(key)=***")
    }

    @Test("an unknown key is an error that names it")
    func unknownKey() throws {
        let settings = KafkaSettings(["bootstrap.server": "host:1"])
        let failure = #expect(throws: KafkaFailure.self) { try settings.check() }
        #expect(failure?.kind == .configuration)
        #expect(failure?.configurationKey == "bootstrap.server")
        #expect(failure?.message == "librdkafka has no setting bootstrap.server.")
    }

    @Test("a value that cannot be is an error that names the key and the value")
    func badValue() throws {
        let settings = KafkaSettings(["acks": "perhaps"])
        let failure = #expect(throws: KafkaFailure.self) { try settings.check() }
        #expect(failure?.configurationKey == "acks")
        #expect(failure?.message.contains("perhaps") == true)
    }

    @Test("settings that contradict each other are an error in words that name them")
    func contradiction() throws {
        let settings = KafkaSettings([
            "bootstrap.servers": "127.0.0.1:1", "enable.idempotence": "true", "acks": "1",
        ])
        let failure = #expect(throws: KafkaFailure.self) { _ = try KafkaProducer(settings) }
        #expect(failure?.kind == .configuration)
        #expect(failure?.message.contains("acks") == true)
    }

    @Test("a broker must be named")
    func noBroker() throws {
        let failure = #expect(throws: KafkaFailure.self) { _ = try KafkaAdmin(KafkaSettings()) }
        #expect(failure?.configurationKey == "bootstrap.servers")
    }

    @Test("every security key of librdkafka is taken")
    func securityKeys() throws {
        try KafkaSettings([
            "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "me", "sasl.password": "secret",
            "ssl.endpoint.identification.algorithm": "https", "ssl.ca.location": "/etc/ssl/certs",
        ]).check()
    }
}
