import ConnectorSDK
import Testing
import Topics

@Suite("Topic settings")
struct TopicSettingsTests {
    @Test("an empty configuration is the default settings")
    func defaults() throws {
        #expect(try TopicSettings(Configuration([:])) == TopicSettings())
    }

    @Test("what entries writes, the configuration reads back")
    func roundTrip() throws {
        var settings = TopicSettings()
        settings.cleanupPolicy = .compactAndDelete
        settings.retentionMilliseconds = -1
        settings.retentionBytes = 1 << 33
        settings.retentionHoldSinks = false
        settings.segmentBytes = 8_192
        settings.compressionType = .zstd
        settings.timestampType = .logAppendTime
        settings.minCleanableDirtyRatio = 0.25
        settings.durability = .os
        let values = Dictionary(
            uniqueKeysWithValues: settings.entries.map { ($0.key, $0.value) }
        )
        #expect(TopicSettings.configuration.validate(values).isEmpty)
        #expect(try TopicSettings(Configuration(values)) == settings)
    }

    @Test("entries hold every declared key, in order")
    func rollCall() {
        #expect(
            TopicSettings().entries.map(\.key)
                == TopicSettings.configuration.declarations.map(\.name)
        )
    }

    @Test(
        "a value that no setting takes is an issue at its key",
        arguments: [
            ("retention.ms", "sometimes"), ("retention.ms", "-5s"), ("cleanup.policy", "keep"),
            ("min.cleanable.dirty.ratio", "2"), ("segment.bytes", "1"), ("compression.type", "rar"),
        ]
    )
    func badValues(key: String, value: String) {
        #expect(TopicSettings.configuration.validate([key: value]).map(\.key) == [key])
    }

    @Test(
        "topic names follow Kafka's rule",
        arguments: [
            ("orders", true), ("a.b_c-D9", true), ("", false), (".", false), ("..", false),
            ("a/b", false), ("ä", false), (String(repeating: "x", count: 250), false),
        ]
    )
    func names(name: String, isLegal: Bool) {
        #expect((TopicName.problem(name) == nil) == isLegal)
    }
}
