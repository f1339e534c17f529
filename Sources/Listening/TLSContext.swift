public import ConnectorSDK
internal import NIOSSL

/// The files that make a listener speak TLS.
public struct TLSFiles: Hashable, Sendable {
    /// The certificate chain, PEM.
    public var certificate: String
    /// The private key, PEM.
    public var key: String
    /// The authorities of clients' certificates, PEM; `nil` when clients need none.
    public var clientAuthority: String?

    /// Names the files.
    public init(certificate: String, key: String, clientAuthority: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthority = clientAuthority
    }
}

/// Certificates and keys, read and checked; for TLS 1.2 and 1.3.
public struct TLSContext: Sendable {
    internal let context: NIOSSLContext

    /// Reads the files.
    public init(_ files: TLSFiles) throws(ConnectorError) {
        let chain = try Self.certificates(ListenerKeys.certificate, files.certificate)
        let key = try Self.read(ListenerKeys.privateKey, files.key) {
            try NIOSSLPrivateKey(file: $0, format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        if let authority = files.clientAuthority {
            let authorities = try Self.certificates(ListenerKeys.clientAuthority, authority)
            // Instead of those of the machine, whose certificates anybody can get.
            configuration.trustRoots = .certificates(authorities)
            // Clients have no host name; that they have a certificate is insisted on.
            configuration.certificateVerification = .noHostnameVerification
        }
        let complete = configuration
        context = try Self.read(ListenerKeys.privateKey, files.key) { _ in
            try NIOSSLContext(configuration: complete)
        }
    }

    /// Reads certificates, of which there must be one.
    internal static func certificates(
        _ key: ConfigKey<String?>,
        _ path: String
    ) throws(ConnectorError) -> [NIOSSLCertificate] {
        let found = try read(key, path) { try NIOSSLCertificate.fromPEMFile($0) }
        guard !found.isEmpty else { throw unusable(key, path, nil) }
        return found
    }

    private static func read<Result>(
        _ key: ConfigKey<String?>,
        _ path: String,
        _ body: (String) throws -> Result
    ) throws(ConnectorError) -> Result {
        do {
            return try body(path)
        } catch {
            throw unusable(key, path, error)
        }
    }

    /// D8: the path is named, never what is in the file.
    private static func unusable(
        _ key: ConfigKey<String?>,
        _ path: String,
        _ cause: (any Error)?
    ) -> ConnectorError {
        ConnectorError(
            .listenerTLS,
            .failTask,
            "The file \(path) cannot be used for TLS.",
            kind: .configuration,
            at: key.declaration.name,
            hint: "It must be readable and hold PEM; a key needs no password and belongs to the "
                + "first certificate: `openssl x509 -in FILE`, `openssl pkey -in FILE`.",
            underlying: cause
        )
    }
}
