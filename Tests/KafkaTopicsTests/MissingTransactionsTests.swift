import ConnectorSDK
import TestServices
import Testing

@testable import KafkaClient
@testable import KafkaTopics

@Suite("A cluster without transactions", .timeLimit(.minutes(10)))
struct MissingTransactionsTests {
    @Test("is an error that names the key and what it costs to do without")
    func unsupported() throws {
        let cluster = try KafkaMockHandle()
        cluster.withdraw(.initProducerID)
        let clients = try KafkaClients(
            KafkaSettings(["bootstrap.servers": cluster.bootstrap]),
            KafkaStoreOptions()
        )
        let failure = #expect(throws: ConnectorError.self) {
            _ = try KafkaUnitProducer(clients, transactionalID: "task")
        }
        #expect(failure?.configurationKey == "transactions")
        #expect(failure?.kind == .configuration)
        #expect(failure?.hint?.contains("at least once") == true)
    }
}
