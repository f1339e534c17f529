public import ConnectorSDK

/// The hash of a signature.
public enum SignatureAlgorithm: String, CaseIterable, Sendable {
    /// SHA-1, which old services sign with.
    case sha1
    /// SHA-256.
    case sha256
    /// SHA-512.
    case sha512
}

/// The keys that say who may send.
public enum GateKeys {
    /// Tokens that are borne.
    public static let tokens = ConfigKey.list(
        "auth.bearer.tokens",
        help: """
            Tokens, one of which a request must bear: `Authorization: Bearer TOKEN`. Better written \
            as `${env:NAME}` or `${file:…}`.
            """
    )
    /// What bodies are signed with.
    public static let secret = ConfigKey<String?>.optional(
        "signature.secret",
        help: """
            The secret with which bodies are signed (HMAC), as GitHub, Shopify and others do. \
            Better written as `${env:NAME}` or `${file:…}`.
            """
    )
    /// Where the signature is.
    public static let signatureHeader = ConfigKey.string(
        "signature.header",
        default: "X-Hub-Signature-256",
        help: """
            The header with the signature of the body as it is sent: in hexadecimal digits or base64, \
            with or without the algorithm and `=` in front.
            """
    )
    /// How it is made.
    public static let algorithm = ConfigKey<SignatureAlgorithm>.choice(
        "signature.algorithm",
        default: .sha256,
        help: "The hash of the signature."
    )

    /// All of them.
    public static let all = ConfigSpec()
        .with(tokens).with(secret).with(signatureHeader).with(algorithm)
}
