import Glibc
import Synchronization

/// Ports of 127.0.0.1.
enum LoopbackPort {
    /// Below those that the kernel gives to whoever asks for any port, or another program could get
    /// one before it is used.
    private static let range = 10_240..<32_000
    private static let given = Mutex<Set<Int>>([])

    /// A port that nobody uses at this moment, and nobody else is given, or `nil`.
    static func free() -> Int? {
        for _ in 0..<1_000 {
            let port = Int.random(in: range)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            guard let descriptor = hold(port) else { continue }
            close(descriptor)
            return port
        }
        return nil
    }

    /// Whether somebody takes connections on a port.
    static func isOpen(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = Self.address(port)
        return withUnsafeBytes(of: &address) { bytes in
            guard let base = bytes.bindMemory(to: sockaddr.self).baseAddress else { return false }
            return connect(descriptor, base, socklen_t(bytes.count)) == 0
        }
    }

    /// Keeps others from a port on which nobody listens, until the descriptor is closed; `nil` when
    /// somebody has it already.
    static func hold(_ port: Int) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var on: Int32 = 1
        // Connections that were just cut may still stand there.
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = Self.address(port)
        let code = withUnsafeBytes(of: &address) { bytes -> Int32 in
            guard let base = bytes.bindMemory(to: sockaddr.self).baseAddress else { return -1 }
            return bind(descriptor, base, socklen_t(bytes.count))
        }
        guard code == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return address
    }
}
