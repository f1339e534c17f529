public import ConnectorSDK

/// What a client is made with.
public struct HTTPClientSettings: Sendable {
    let authorities: String?
    let certificate: String?
    let key: String?
    /// Name and password, with a colon between them.
    let user: String?
    let connectTimeout: Duration
    let requestTimeout: Duration

    /// Reads the keys.
    public init(_ configuration: Configuration) throws(ConnectorError) {
        authorities = try configuration.get(HTTPClientKeys.authorities).map(configuration.path)
        certificate = try configuration.get(HTTPClientKeys.certificate).map(configuration.path)
        key = try configuration.get(HTTPClientKeys.privateKey).map(configuration.path)
        let password = try configuration.get(HTTPClientKeys.password) ?? ""
        user = try configuration.get(HTTPClientKeys.user).map { "\($0):\(password)" }
        connectTimeout = try configuration.get(HTTPClientKeys.connectTimeout)
        requestTimeout = try configuration.get(HTTPClientKeys.requestTimeout)
    }
}
