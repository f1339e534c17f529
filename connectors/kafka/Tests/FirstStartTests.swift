import ConnectorSDK
import KafkaClient
import Testing

@testable import KafkaConnector

// D6
@Suite("Kafka source: what was there at the first start")
struct FirstStartTests {
    private func noted(
        _ positions: [String: String],
        _ topics: [String: Int32],
        takesNewTopics: Bool = false
    ) -> String? {
        var first = FirstStart(positions, takesNewTopics: takesNewTopics)
        return first.note(topics)?.offset
    }

    @Test(
        "the first start notes all partitions, which begin at their ends",
        arguments: [true, false]
    )
    func first(takesNewTopics: Bool) {
        var first = FirstStart([:], takesNewTopics: takesNewTopics)
        #expect(!first.isNew(KafkaPartition("a", 0)))
        #expect(first.note(["b": 2, "a": 1])?.offset == #"{"a":1,"b":2}"#)
        #expect(!first.isNew(KafkaPartition("b", 1)))
        #expect(first.isNew(KafkaPartition("b", 2)))
        #expect(first.note(["b": 3, "a": 1]) == nil)
        // A topic may come to one that matched none.
        #expect(noted([:], [:], takesNewTopics: takesNewTopics) == "{}")
    }

    // Another task may have noted it already, before this one chose where its partitions begin.
    @Test("partitions that appeared later are new, those that were there are not")
    func later() {
        let positions = ["~partitions": #"{"a-b":2}"#, "a-b-0": #"{"offset":5}"#]
        for takesNewTopics in [true, false] {
            let first = FirstStart(positions, takesNewTopics: takesNewTopics)
            #expect(!first.isNew(KafkaPartition("a-b", 1)))
            #expect(first.isNew(KafkaPartition("a-b", 2)))
            #expect(first.isNew(KafkaPartition("new", 0)) == takesNewTopics)
        }
        #expect(noted(positions, ["a-b": 3, "new": 1], takesNewTopics: true) == nil)
        #expect(noted(positions, ["a-b": 3, "new": 1]) == #"{"a-b":2,"new":1}"#)
    }

    @Test("positions of a version that noted nothing tell that there was a start")
    func older() {
        let positions = ["a-0": #"{"offset":5}"#]
        for takesNewTopics in [true, false] {
            let first = FirstStart(positions, takesNewTopics: takesNewTopics)
            #expect(first.isNew(KafkaPartition("a", 1)))
            #expect(first.isNew(KafkaPartition("b", 0)) == takesNewTopics)
        }
    }
}
