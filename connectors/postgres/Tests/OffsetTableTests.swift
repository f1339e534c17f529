import ConnectorSDK
import TestServices
import Testing

@testable import PostgresConnector

@Suite("PostgreSQL sink: the table of offsets", .timeLimit(.minutes(10)))
struct OffsetTableTests {
    @Test("tasks that begin at once share one, whoever makes it")
    func atOnce() async throws {
        for _ in 0..<60 {
            let scratch = try SinkScratch()
            let (url, context) = (scratch.url, scratch.context())
            let errors = await withTaskGroup(of: ConnectorError?.self) { group in
                for task in 0..<6 {
                    group.addTask {
                        do throws(ConnectorError) {
                            let sink = try PostgresSink(
                                configuration: Configuration(["url": url]),
                                context: context
                            )
                            _ = try await sink.open([TopicPartition("orders", Int32(task))])
                            await sink.close()
                            return nil
                        } catch {
                            return error
                        }
                    }
                }
                return await group.reduce(into: [ConnectorError]()) { errors, error in
                    if let error { errors.append(error) }
                }
            }
            #expect(errors.isEmpty, "\(errors)")
            #expect(try scratch.text("SELECT count(*) FROM __millrace_offsets") == "6")
        }
    }

    @Test("something else of its name is an error that says so")
    func nameTaken() async throws {
        let scratch = try SinkScratch("CREATE TYPE __millrace_offsets AS ENUM ('a')")
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await scratch.sink().open([TopicPartition("orders", 0)])
        }
        #expect(error?.message.contains("already exists") ?? false, "\(String(describing: error))")
    }
}
