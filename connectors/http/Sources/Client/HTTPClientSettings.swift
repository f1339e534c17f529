internal import ConnectorSDK

/// What a client is made with.
struct HTTPClientSettings: Sendable {
    let authorities: String?
    let certificate: String?
    let key: String?
    /// Name and password, with a colon between them.
    let user: String?
    let connectTimeout: Duration
    let requestTimeout: Duration

    init(_ configuration: Configuration) throws(ConnectorError) {
        authorities = try configuration.get(HTTPSinkKeys.authorities).map(configuration.path)
        certificate = try configuration.get(HTTPSinkKeys.certificate).map(configuration.path)
        key = try configuration.get(HTTPSinkKeys.privateKey).map(configuration.path)
        let password = try configuration.get(HTTPSinkKeys.password) ?? ""
        user = try configuration.get(HTTPSinkKeys.user).map { "\($0):\(password)" }
        connectTimeout = try configuration.get(HTTPSinkKeys.connectTimeout)
        requestTimeout = try configuration.get(HTTPSinkKeys.requestTimeout)
    }
}
