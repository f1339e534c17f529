public import ConnectorSDK

/// The values of ``ListenerKeys``.
public struct ListenerSettings: Sendable {
    /// The most connections at once.
    public let connections: Int
    /// What may wait in memory, and as much again of what is incomplete.
    public let buffer: Int
    /// What one client may have of it.
    public let clientBuffer: Int
    /// The threads that read.
    public let threads: Int
    /// The files of TLS; `nil` when there are none.
    public let tls: TLSFiles?

    /// Reads the keys.
    ///
    /// - Parameters:
    ///   - configuration: the connector's.
    ///   - least: what the largest that is allowed takes, which one client may have in any case.
    /// - Throws: when a value is none, or TLS has only half of its files.
    public init(_ configuration: Configuration, least: Int) throws(ConnectorError) {
        connections = try configuration.get(ListenerKeys.connections)
        buffer = try configuration.get(ListenerKeys.buffer)
        let percent = try configuration.get(ListenerKeys.clientBuffer)
        clientBuffer = max(least, buffer / 100 * percent)
        threads = try configuration.get(ListenerKeys.threads)
        tls = try ListenerKeys.tlsFiles(configuration)
    }
}
