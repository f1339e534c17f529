internal import ConnectorSDK
internal import KafkaClient

/// The keys that say how a cluster is reached, which the source and the sink share.
internal enum KafkaKeys {
    static let servers = ConfigKey.list(
        "bootstrap.servers",
        isRequired: true,
        importance: .high,
        help: "One or more brokers of the cluster, each as `HOST:PORT`."
    ) { server in
        guard let colon = server.lastIndex(of: ":"), colon > server.startIndex,
            let port = Int(server[server.index(after: colon)...]), (1...65_535).contains(port)
        else { return "must be such as broker-1:9092" }
        return nil
    }
    enum SecurityProtocol: String, CaseIterable, Sendable {
        case plaintext, ssl
        case saslPlaintext = "sasl_plaintext"
        case saslSSL = "sasl_ssl"
    }
    static let security = ConfigKey<SecurityProtocol>.choice(
        "security.protocol",
        default: .plaintext,
        importance: .high,
        help: "How the brokers are spoken to: with TLS or without, with a login or without."
    )
    static let sasl = ConfigMapKey(
        "sasl",
        help: """
            The login, in librdkafka's keys, such as `sasl.mechanism: SCRAM-SHA-512`, \
            `sasl.username` and `sasl.password`. Secrets are better written as `${env:NAME}`; they \
            are never shown.
            """
    )
    static let ssl = ConfigMapKey(
        "ssl",
        help: """
            TLS, in librdkafka's keys, such as `ssl.ca.location`, `ssl.certificate.location` and \
            `ssl.key.location`. Paths are taken as they are.
            """
    )
    static let clientID = ConfigKey<String?>.optional(
        "client.id",
        importance: .low,
        help: "The name that the brokers' logs and quotas know this client by; `millrace-NAME`."
    )
    static let other = ConfigMapKey(
        "kafka",
        importance: .low,
        help: """
            Any other key of librdkafka, behind `kafka.`, such as `kafka.socket.keepalive.enable: \
            true`. Its CONFIGURATION.md lists them.
            """
    )
    static let timeout = ConfigKey.duration(
        "request.timeout.ms",
        default: .seconds(30),
        in: .milliseconds(100) ... .seconds(600),
        help: "How long a request to the cluster may take before it counts as failed."
    )

    static let all = ConfigSpec()
        .with(servers).with(security).with(sasl).with(ssl).with(clientID).with(other).with(timeout)
}

/// A cluster, as a configuration names it.
internal struct KafkaCluster: Sendable {
    internal var settings: KafkaSettings
    internal let timeout: Duration

    /// Checks that librdkafka knows the keys; connects to nobody.
    internal init(_ configuration: Configuration, name: String) throws(ConnectorError) {
        var values: [String: String] = [
            "bootstrap.servers": try configuration.get(KafkaKeys.servers).joined(separator: ","),
            "security.protocol": try configuration.get(KafkaKeys.security).rawValue,
            "client.id": try configuration.get(KafkaKeys.clientID) ?? "millrace-\(name)",
        ]
        for (prefix, key) in [("sasl", KafkaKeys.sasl), ("ssl", KafkaKeys.ssl)] {
            for (name, value) in configuration.get(key) { values["\(prefix).\(name)"] = value }
        }
        for (name, value) in configuration.get(KafkaKeys.other) {
            guard values[name] == nil else {
                throw .invalid("kafka.\(name)", "`\(name)` is set already.", hint: "Remove one.")
            }
            values[name] = value
        }
        settings = KafkaSettings(values)
        timeout = try configuration.get(KafkaKeys.timeout)
        do throws(KafkaFailure) {
            try settings.check()
        } catch {
            throw ConnectorError(error).named(in: configuration)
        }
    }

    internal func makeAdmin() throws(ConnectorError) -> KafkaAdmin {
        try onCluster { () throws(KafkaFailure) in
            try KafkaAdmin(settings, timeout: timeout)
        }
    }
}

extension ConnectorError {
    /// With the key as the configuration has it, where it stands behind `kafka.`.
    fileprivate func named(in configuration: Configuration) -> ConnectorError {
        guard let key = configurationKey, configuration.values["kafka.\(key)"] != nil else {
            return self
        }
        var error = self
        error.configurationKey = "kafka.\(key)"
        return error
    }
}
