public import ConnectorSDK

/// The keys that listeners share.
public enum ListenerKeys {
    /// The certificate chain.
    public static let certificate = ConfigKey<String?>.optional(
        "tls.certificate.file",
        help: """
            The server's certificate in PEM, with those between it and the authority behind it. \
            Makes the listener speak TLS.
            """
    )
    /// The private key.
    public static let privateKey = ConfigKey<String?>.optional(
        "tls.key.file",
        help: "The private key of `tls.certificate.file`, in PEM and without a password."
    )
    /// Who may connect.
    public static let clientAuthority = ConfigKey<String?>.optional(
        "tls.client.ca.file",
        help: """
            The authorities, in PEM, that sign the certificates of clients. With it, a client that \
            has none is refused.
            """
    )
    /// How many at once.
    public static let connections = ConfigKey<Int>.int(
        "connections.max",
        default: 1_000,
        in: 1...1_000_000,
        help: """
            The most connections at once; further ones are closed as soon as they are made, and \
            counted in the log. Each costs one open file (`ulimit -n`) and, while it sends, up to \
            32 KiB.
            """
    )
    /// How much may wait.
    public static let buffer = ConfigKey<Int>.size(
        "buffer.bytes",
        default: 32 << 20,
        in: (1 << 20)...(16 << 30),
        help: """
            What may wait in memory: as much of what was received whole, and as much again of what \
            is still incomplete. When it is full no more is read from connections until the topic \
            has taken some.
            """
    )
    /// How much of it one client may have.
    public static let clientBuffer = ConfigKey<Int>.int(
        "client.buffer.percent",
        default: 50,
        in: 1...100,
        help: """
            How much of `buffer.bytes` one address may take, yet always enough for the largest that \
            is allowed: who floods leaves room to others. 100 where all come through one proxy.
            """
    )
    /// Threads that read sockets.
    public static let threads = ConfigKey<Int>.int(
        "threads",
        default: 1,
        in: 1...64,
        importance: .low,
        help: "The threads that read from connections. One reads a gigabit; TLS may need more."
    )

    /// All of them.
    public static let all = ConfigSpec()
        .with(certificate).with(privateKey).with(clientAuthority).with(connections).with(buffer)
        .with(clientBuffer).with(threads)

    /// The files of TLS as configured; `nil` when there are none.
    internal static func tlsFiles(
        _ configuration: Configuration
    ) throws(ConnectorError) -> TLSFiles? {
        let certificate = try configuration.get(certificate)
        let key = try configuration.get(privateKey)
        let authority = try configuration.get(clientAuthority)
        guard let certificate, let key else {
            guard certificate == nil, key == nil, authority == nil else {
                throw .invalid(
                    certificate == nil
                        ? Self.certificate.declaration.name : Self.privateKey.declaration.name,
                    "TLS needs a certificate and its key."
                )
            }
            return nil
        }
        return TLSFiles(
            certificate: configuration.path(certificate),
            key: configuration.path(key),
            clientAuthority: authority.map(configuration.path)
        )
    }
}
