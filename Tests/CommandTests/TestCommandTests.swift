import TestServices
import Testing

@Suite("millrace test", .timeLimit(.minutes(10)))
struct TestCommandTests {
    private let pipeline = """
        pipeline: orders
        sources:
          inbox:
            connector: csv
            include: in/*.csv
            topic: orders
            transforms:
              - {type: Cast, spec: {amount: decimal}}
              - {type: Filter, condition: '.amount > 0'}
        tests:
          - name: keeps paid orders
            connector: inbox
            input:
              - value: {id: 1, amount: '1.10'}
              - value: {id: 2, amount: '0'}
            output:
              - value: {id: 1, amount: 1.10}

        """

    @Test("cases that hold exit with 0, offline")
    func passes() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(pipeline, to: "p.yaml")
        let result = try await directory.millrace("test", "p.yaml")
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
        #expect(result.output == "ok      p.yaml: keeps paid orders\n1 case(s), 0 failed\n")
        #expect(try directory.names() == ["p.yaml"])
    }

    @Test("a case that does not hold exits with 1 and says what differs")
    func fails() async throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            pipeline.replacing(
                "- value: {id: 1, amount: 1.10}",
                with: "- value: {id: 1, amount: 2}"
            ),
            to: "p.yaml"
        )
        let result = try await directory.millrace("test", "p.yaml", "--json")
        #expect(result.exitCode == 1)
        let tests = try #require(try result.json()["tests"] as? [[String: Any]])
        #expect(tests.map { $0["passed"] as? Bool } == [false])
        #expect((tests[0]["problems"] as? [String])?.first?.contains("amount") == true)
    }
}
