internal import Listening

/// One address that messages come in at, and how.
struct SyslogEndpoint: Hashable, Sendable {
    enum Kind: String, Sendable {
        case udp, tcp, tls, unix, unixgram
    }

    var kind: Kind
    var address: ListenAddress

    /// Reads `tcp://127.0.0.1:514` or `unix:/run/log.sock`.
    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"),
            let kind = Kind(rawValue: String(text[..<colon]))
        else { return nil }
        self.kind = kind
        var rest = text[text.index(after: colon)...]
        switch kind {
        case .udp, .tcp, .tls:
            guard rest.hasPrefix("//"), let address = ListenAddress(hostAndPort: rest.dropFirst(2))
            else { return nil }
            self.address = address
        case .unix, .unixgram:
            if rest.hasPrefix("//") { rest = rest.dropFirst(2) }
            guard !rest.isEmpty else { return nil }
            address = .unix(path: String(rest), mode: .ownerAndGroup)
        }
    }

    /// With a path that does not depend on where the program runs, and who may write there.
    func resolved(_ path: (String) -> String, _ mode: SocketMode) -> Self {
        var copy = self
        if case .unix(let text, _) = address { copy.address = .unix(path: path(text), mode: mode) }
        return copy
    }

    var isDatagram: Bool { kind == .udp || kind == .unixgram }

    /// As it is written in a configuration.
    func description(_ address: ListenAddress) -> String {
        switch kind {
        case .udp, .tcp, .tls: "\(kind.rawValue)://\(address)"
        case .unix, .unixgram: "\(kind.rawValue):\(address)"
        }
    }
}
