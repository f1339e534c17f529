internal import ConnectorSDK
internal import Listening
internal import SyslogMessages

/// The keys of the syslog source.
enum SyslogKeys {
    static let listen = ConfigKey.list(
        "listen",
        default: ["udp://127.0.0.1:5514", "tcp://127.0.0.1:5514"],
        importance: .high,
        help: """
            Where messages come in: any of `udp://HOST:PORT`, `tcp://HOST:PORT`, \
            `tls://HOST:PORT`, `unix:PATH` (a stream socket) and `unixgram:PATH` (a datagram socket, \
            as /dev/log is one). Without a host it is 127.0.0.1; `0.0.0.0` is every interface.
            """,
        validator: { text in
            SyslogEndpoint(text) == nil
                ? "must be such as udp://127.0.0.1:514, tcp://, tls://, unix:/path or unixgram:/path"
                : nil
        }
    )
    static let topic = ConfigKey.required(
        "topic",
        help: """
            The topic. `${field:severity}` and `${field:facility}` are a message's own, such as in \
            `syslog-${field:severity}`; others are what a sender likes, and cannot be had.
            """,
        validator: SyslogTopics.problem
    )
    static let framing = ConfigKey<FramingStyle>.choice(
        "framing",
        default: .auto,
        help: """
            How messages follow each other on stream connections (RFC 6587): `octet-counting`, \
            `newline`, or `auto`: the first byte of each connection tells, since only a length is a \
            digit.
            """
    )
    static let longest = ConfigKey.size(
        "max.message.bytes",
        default: 64 << 10,
        in: 480...(16 << 20),
        help: """
            The longest message. A connection that sends a longer one is closed; a longer datagram \
            is left. Both are counted in the log.
            """
    )
    static let zone = ConfigKey.string(
        "timezone",
        default: "UTC",
        help: """
            The zone of times that do not say theirs, as those of RFC 3164: `UTC`, `local` or an \
            offset such as `+02:00`.
            """,
        validator: { SyslogZone($0) == nil ? "must be UTC, local or such as +02:00" : nil }
    )
    static let keepRaw = ConfigKey.bool(
        "raw",
        default: false,
        help: "Whether the field `raw` holds each message as it came."
    )
    static let linger = ConfigKey.duration(
        "linger.ms",
        default: .milliseconds(5),
        in: .zero ... .milliseconds(1_000),
        importance: .low,
        help: "How long to wait for more messages before some are written to the topic."
    )
    static let messageTimeout = ConfigKey.duration(
        "message.timeout.ms",
        default: .seconds(30),
        in: .milliseconds(100) ... .seconds(86_400),
        help: "How long a message may take to arrive once it has begun, and TLS to be agreed on."
    )
    static let idleTimeout = ConfigKey.duration(
        "idle.timeout.ms",
        default: .zero,
        help: """
            How long a connection may be silent; 0 is for ever: senders keep connections open. \
            Machines that vanished are found out by TCP itself.
            """
    )
    static let receiveBuffer = ConfigKey.size(
        "udp.receive.buffer.bytes",
        default: 8 << 20,
        in: 4_096...(1 << 30),
        help: """
            The kernel's buffer of datagram sockets; what it cannot hold is lost, and counted in \
            the log. Without root, `sysctl net.core.rmem_max` limits it.
            """
    )

    static let socketMode = ConfigKey.string(
        "socket.mode",
        default: "0660",
        help: """
            Who may write to the sockets of `unix:` and `unixgram:`, as `chmod` has it in octal digits: \
            the owner and the group; `0666` is everybody, as /dev/log has it.
            """,
        validator: { SocketMode($0) == nil ? "must be octal digits such as 0660 or 0666" : nil }
    )

    static let all = ConfigSpec()
        .with(listen).with(topic).with(framing).with(longest).with(zone).with(keepRaw)
        .with(linger).with(messageTimeout).with(idleTimeout).with(receiveBuffer)
        .with(socketMode)
        .merging(ListenerKeys.all)
}

/// The values of the keys.
struct SyslogSettings: Sendable {
    let endpoints: [SyslogEndpoint]
    let topics: [String]
    let framing: FramingStyle
    let longest: Int
    let zone: SyslogZone
    let keepsRaw: Bool
    let linger: Duration
    let messageTimeout: Duration
    let idleTimeout: Duration
    let receiveBuffer: Int
    let listener: ListenerSettings

    init(_ configuration: Configuration) throws(ConnectorError) {
        let mode = SocketMode(try configuration.get(SyslogKeys.socketMode)) ?? .ownerAndGroup
        endpoints = try configuration.get(SyslogKeys.listen).compactMap {
            SyslogEndpoint($0)?.resolved(configuration.path, mode)
        }
        topics = SyslogTopics.names(try configuration.get(SyslogKeys.topic))
        framing = try configuration.get(SyslogKeys.framing)
        longest = try configuration.get(SyslogKeys.longest)
        zone = SyslogZone(try configuration.get(SyslogKeys.zone)) ?? .utc
        keepsRaw = try configuration.get(SyslogKeys.keepRaw)
        linger = try configuration.get(SyslogKeys.linger)
        messageTimeout = try configuration.get(SyslogKeys.messageTimeout)
        idleTimeout = try configuration.get(SyslogKeys.idleTimeout)
        receiveBuffer = try configuration.get(SyslogKeys.receiveBuffer)
        // What a message lies in may be twice as large.
        listener = try ListenerSettings(configuration, least: 2 * longest)
        let usesTLS = endpoints.contains { $0.kind == .tls }
        if usesTLS, listener.tls == nil {
            throw .invalid(
                ListenerKeys.certificate.declaration.name,
                "Listening on tls:// needs a certificate and its key."
            )
        }
        if !usesTLS, listener.tls != nil {
            throw .invalid(
                SyslogKeys.listen.declaration.name,
                "There are TLS files, and nothing listens on tls://.",
                hint: "Write tls:// in front of the address that is to be encrypted."
            )
        }
        if listener.buffer < 4 * longest {
            throw .invalid(
                ListenerKeys.buffer.declaration.name,
                "The buffer must hold four messages of max.message.bytes."
            )
        }
    }
}
