/// Where a listener waits for others.
public enum ListenAddress: Hashable, Sendable {
    /// An address of this machine, or `localhost`; port 0 is any that is free.
    case internet(host: String, port: Int)
    /// A socket in the file system, and who may write to it.
    case unix(path: String, mode: SocketMode)

    /// The longest path that the kernel takes for a socket.
    public static let longestPath = 107

    /// Reads `127.0.0.1:514`, `[::1]:514` or `:514`, which is on the loopback interface, so that
    /// nothing is open to the network that nobody asked for.
    public init?(hostAndPort text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        self = .internet(host: host.isEmpty ? "127.0.0.1" : host, port: Int(port))
    }

    /// The address as it is written in a configuration.
    public var description: String {
        switch self {
        case .internet(let host, let port):
            host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path, _): path
        }
    }
}

extension ListenAddress: CustomStringConvertible {}
