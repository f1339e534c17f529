public import ConnectorSDK
internal import Glibc

extension ConnectorError.Code {
    /// Nobody can be listened to at an address.
    public static let listen = Self("listener.bind")
    /// Certificates or keys cannot be used.
    public static let listenerTLS = Self("listener.tls")
}

extension ConnectorError {
    /// Makes the error of an address that cannot be listened on.
    public static func cannotListen(on address: String, errno code: Int32) -> Self {
        let hint =
            switch code {
            case EADDRINUSE:
                "Another process has it, maybe another run of this pipeline: `ss -lntupx` shows "
                    + "which. End that one, or choose another address."
            case EACCES:
                "Ports below 1024, and some folders, belong to root: choose another, or give the "
                    + "program the right (`setcap cap_net_bind_service+ep`)."
            case EADDRNOTAVAIL:
                "No interface of this machine has it: `ip address` shows those there are."
            default: "Choose another address."
            }
        return ConnectorError(
            .listen,
            .failTask,
            "Cannot listen on \(address): \(String(cString: strerror(code))).",
            kind: .environment,
            at: "listen",
            hint: hint
        )
    }
}
