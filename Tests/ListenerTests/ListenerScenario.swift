import Foundation
import TestServices
import Testing

/// One scenario of a Python script beside this file.
enum ListenerScenario {
    static func run(_ script: String, _ name: String, _ more: String...) async throws {
        let directory = try TemporaryDirectory()
        let result = try await Command.run(
            [
                Products.python, Products.root + "/Tests/ListenerTests/" + script,
                Products.millrace, directory.path, name,
            ] + more,
            in: directory.path
        )
        #expect(result.exitCode == 0, "\(name): \(result.output)\(result.errors)")
    }
}

/// A port of this machine on which somebody else listens.
final class TakenPort {
    private let descriptor: Int32
    let port: UInt16

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) | listen(descriptor, 1)
                    | getsockname(descriptor, address, &size)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(status == 0)
    }

    deinit { close(descriptor) }
}
