import ConnectorSDK
import Glibc
import Converters
import Synchronization
import Testing

@testable import PipelineEngine

/// Blocks as a library does that waits for a server, then says what it was given.
private final class CarefulSource: SourceConnector {
    static let name = "careful"
    static let summary = "Looks before it reads."
    static let url = ConfigKey<String>.required("url", help: "What it would connect to.")
    static let company = ConfigKey.int("company", default: 1, in: 1...8, help: "All to wait for.")
    static let configuration = ConfigSpec().with(url).with(company)
    private static let arrived = Atomic(0)

    let isBounded = true

    init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {}

    static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let url = try configuration.get(url)
        guard url != "unreachable" else {
            throw ConnectorError(.init("careful.down"), .retry(after: nil), "Nobody answers.")
        }
        let company = try configuration.get(company), deadline = ContinuousClock.now + .seconds(120)
        if company > 1 { arrived.add(1, ordering: .relaxed) }
        while company > 1, arrived.load(ordering: .relaxed) < company {
            guard ContinuousClock.now < deadline else {
                throw ConnectorError(.init("careful.alone"), .failTask, "Nobody else came.")
            }
            usleep(1_000)
        }
        return [
            PreflightCheck("server", .passed, "\(url) answers \(context.name)"),
            PreflightCheck("room", .warning, "little is left", at: "url", hint: "ask \(url)"),
        ]
    }

    func run(
        from positions: [String: String],
        into outlet: any RecordOutlet
    ) async throws(ConnectorError) {}

    func acknowledge(through positions: [SourcePosition]) async throws(ConnectorError) {}
}

@Suite("Preflight")
struct PreflightTests {
    private func reports(
        _ values: [String: String],
        count: Int = 1
    ) async -> [Preflight.Report] {
        let connectors = (0..<count).map {
            ConnectorDefinition(name: "c\($0)", kind: .source, plugin: "careful", values: values)
        }
        let preflight = Preflight(
            catalog: PluginCatalog(
                sources: [CarefulSource.self],
                converters: [JSONConverter.self]
            ),
            dataDirectory: "/nowhere",
            logger: EngineBench.logger
        )
        let pipeline = PipelineDefinition(name: "p", connectors: connectors)
        return await preflight.reports(on: pipeline)
    }

    @Test("hands on what a connector finds, in order")
    func order() async throws {
        let report = try #require(await reports(["url": "db"]).first)
        #expect(report.connector == "c0")
        #expect(report.checks.map(\.subject) == ["server", "room"])
        #expect(report.checks.map(\.outcome) == [.passed, .warning])
        #expect(report.checks.first?.message == "db answers c0")
        #expect(report.checks.last?.configurationKey == "url")
    }

    @Test("asks connectors at once, although each blocks, and reports in the pipeline's order")
    func together() async throws {
        let reports = await reports(["url": "db", "company": "8"], count: 8)
        #expect(reports.map(\.connector) == (0..<8).map { "c\($0)" })
        #expect(reports.allSatisfy { $0.checks.count == 2 })
    }

    @Test("shows what a connector throws as a check that failed because of the surroundings")
    func thrown() async throws {
        let checks = try #require(await reports(["url": "unreachable"]).first).checks
        #expect(checks.map(\.outcome) == [.failed])
        #expect(checks.first?.message == "Nobody answers.")
        #expect(checks.first?.kind == .environment)
    }

    @Test("shows a configuration that cannot work as such, without asking the connector")
    func configuration() async throws {
        let checks = try #require(await reports([:]).first).checks
        #expect(checks.map(\.outcome) == [.failed])
        #expect(checks.first?.kind == .configuration)
        #expect(checks.first?.configurationKey == "url")
    }

    @Test("D8: keeps secrets out of what connectors say")
    func secrets() async throws {
        setenv("MILLRACE_PREFLIGHT_SECRET", "hunter2hunter2", 1)
        let checks = try #require(
            await reports(["url": "${env:MILLRACE_PREFLIGHT_SECRET}"]).first
        ).checks
        #expect(checks.count == 2)
        #expect(!checks.contains { "\($0)".contains("hunter2") })
        #expect(checks.first?.message.contains("${env:MILLRACE_PREFLIGHT_SECRET}") == true)
    }
}
