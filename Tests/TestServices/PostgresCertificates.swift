import Foundation

/// Certificates for a server and a client, signed by an authority that is made with them.
enum PostgresCertificates {
    /// Makes `ca.crt`, `server.crt`/`.key` for 127.0.0.1 and localhost, and `client.crt`/`.key` for
    /// the role that needs one; also `stranger.crt`, an authority that signed nothing.
    static func make(in directory: String, installation: PostgresInstallation) throws {
        for authority in ["ca", "stranger"] {
            try openssl(
                ["req", "-x509", "-subj", "/CN=\(authority)", "-keyout", "\(authority).key"]
                    + ["-out", "\(authority).crt", "-days", "30"] + newKey,
                in: directory
            )
        }
        let names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        try sign("server", subject: "localhost", extensions: names, in: directory)
        try sign(
            "client",
            subject: PostgresServer.Role.certificate,
            extensions: "basicConstraints=CA:FALSE",
            in: directory
        )
        try installation.own(directory + "/server.key")
    }

    private static let newKey = [
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
    ]

    private static func sign(
        _ name: String,
        subject: String,
        extensions: String,
        in directory: String
    ) throws {
        try openssl(
            ["req", "-subj", "/CN=\(subject)", "-keyout", "\(name).key", "-out", "\(name).csr"]
                + newKey,
            in: directory
        )
        try Data(extensions.utf8).write(to: URL(filePath: "\(directory)/\(name).ext"))
        try openssl(
            ["x509", "-req", "-in", "\(name).csr", "-CA", "ca.crt", "-CAkey", "ca.key"]
                + ["-CAcreateserial", "-days", "30", "-extfile", "\(name).ext"]
                + ["-out", "\(name).crt"],
            in: directory
        )
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600],
            ofItemAtPath: "\(directory)/\(name).key"
        )
    }

    private static func openssl(_ arguments: [String], in directory: String) throws {
        try Program.run(["openssl"] + arguments, in: directory)
    }
}
