public import ConnectorSDK
internal import Glibc
public import Logging
internal import NIOSSL

/// What is not as it should be around a listener, and does not stop it.
public enum ListenerChecks {
    // As much as it takes to notice and to have a new one made.
    private static let soon = 7 * 86_400

    /// Looks at the limits of the process and at the certificate.
    ///
    /// - Throws: when the certificate cannot be read.
    public static func all(
        _ settings: ListenerSettings
    ) throws(ConnectorError) -> [PreflightCheck] {
        var checks = [files(settings.connections)]
        if let tls = settings.tls { checks.append(try certificate(tls, now: time(nil))) }
        return checks
    }

    /// Logs what did not pass.
    public static func report(_ checks: [PreflightCheck], to logger: Logger) {
        for check in checks where check.outcome != .passed {
            logger.warning(
                "listener",
                metadata: ["what": "\(check.message)", "hint": "\(check.hint ?? "")"]
            )
        }
    }

    private static func files(_ connections: Int) -> PreflightCheck {
        let room = OpenFiles.connections(wanted: connections)
        let isEnough = room == connections
        return PreflightCheck(
            "open files",
            isEnough ? .passed : .warning,
            isEnough
                ? "Each of \(connections) connections can be an open file."
                : "There may be too few open files for \(connections) connections: further ones than "
                    + "\(room) are refused.",
            at: ListenerKeys.connections.declaration.name,
            hint: isEnough
                ? nil
                : "Raise LimitNOFILE= of the service, or `ulimit -n`; or lower connections.max."
        )
    }

    /// Clients refuse a certificate outside its time, which here would look like their fault.
    static func certificate(
        _ files: TLSFiles,
        now: Int
    ) throws(ConnectorError) -> PreflightCheck {
        let chain = try TLSContext.certificates(ListenerKeys.certificate, files.certificate)
        let key = ListenerKeys.certificate.declaration.name
        let hint = "Have a new one made; it is taken up without a restart."
        let path = files.certificate
        let ends = chain.map(\.notValidAfter).min() ?? 0
        let begins = chain.map(\.notValidBefore).max() ?? 0
        if ends < now {
            let message = "The certificate in \(path) has expired: clients refuse it."
            return PreflightCheck("certificate", .warning, message, at: key, hint: hint)
        }
        if begins > now {
            let message = "The certificate in \(path) is not valid yet: clients refuse it."
            return PreflightCheck(
                "certificate",
                .warning,
                message,
                at: key,
                hint: "Look at this machine's clock."
            )
        }
        let days = (ends - now) / 86_400
        guard ends - now > soon else {
            let message = "The certificate in \(path) expires in \(days) days."
            return PreflightCheck("certificate", .warning, message, at: key, hint: hint)
        }
        let message = "The certificate is valid for \(days) days."
        return PreflightCheck("certificate", .passed, message, at: key)
    }
}
