public import ConnectorSDK

/// The keys of a client.
public enum HTTPClientKeys {
    /// Who asks.
    public static let user = ConfigKey<String?>.optional(
        "auth.user",
        help: "The name for basic authentication."
    )
    /// With which password.
    public static let password = ConfigKey<String?>.optional(
        "auth.password",
        help: "The password for basic authentication. Better written as `${env:NAME}`."
    )
    /// Whom the client trusts.
    public static let authorities = ConfigKey<String?>.optional(
        "tls.ca.file",
        help: "The authorities, in PEM, that sign servers' certificates; else those of the machine."
    )
    /// What it shows.
    public static let certificate = ConfigKey<String?>.optional(
        "tls.certificate.file",
        help: "A certificate to show to the server, in PEM."
    )
    /// What proves that.
    public static let privateKey = ConfigKey<String?>.optional(
        "tls.key.file",
        help: "The private key of `tls.certificate.file`, in PEM."
    )
    /// How long connecting may take.
    public static let connectTimeout = ConfigKey.duration(
        "connect.timeout.ms",
        default: .seconds(10),
        in: .milliseconds(10) ... .seconds(3_600),
        help: "How long connecting may take."
    )
    /// How long a request may take.
    public static let requestTimeout = ConfigKey.duration(
        "request.timeout.ms",
        default: .seconds(30),
        in: .milliseconds(10) ... .seconds(3_600),
        help: "How long a request may take, answer included."
    )

    /// All of them.
    public static let all = ConfigSpec()
        .with(user).with(password).with(authorities).with(certificate).with(privateKey)
        .with(connectTimeout).with(requestTimeout)
}
