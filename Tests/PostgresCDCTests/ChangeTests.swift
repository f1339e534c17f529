import ConnectorSDK
import Foundation
import Testing

@Suite("Captured changes")
struct ChangeTests {
    @Test("rows that are there are read, then every change follows, in commit order")
    func snapshotAndStream() async throws {
        let bench = try CaptureBench(
            sql: """
                CREATE TABLE t (id int PRIMARY KEY, name text, pad text);
                INSERT INTO t VALUES (1, 'one', NULL), (2, 'zwei', 'å')
                """
        )
        let capture = bench.capture()
        try await bench.until("the rows are there") { try bench.count() == 2 }
        try bench.sql(
            """
            INSERT INTO t VALUES (3, 'three', '');
            UPDATE t SET name = 'two' WHERE id = 2;
            UPDATE t SET id = 10 WHERE id = 3;
            DELETE FROM t WHERE id = 1
            """
        )
        try await bench.until("the changes are there") { try bench.count() == 9 }
        #expect(await capture.stop() == nil)
        #expect(
            try bench.events().map(\.description) == [
                #"r {"id":1} after {"id":1,"name":"one","pad":null}"#,
                #"r {"id":2} after {"id":2,"name":"zwei","pad":"å"}"#,
                #"c {"id":3} after {"id":3,"name":"three","pad":""}"#,
                #"u {"id":2} after {"id":2,"name":"two","pad":"å"}"#,
                #"d {"id":3} before {"id":3}"#, #"tombstone {"id":3}"#,
                #"c {"id":10} after {"id":10,"name":"three","pad":""}"#,
                #"d {"id":1} before {"id":1}"#, #"tombstone {"id":1}"#,
            ]
        )
    }
}
