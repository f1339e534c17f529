internal import CPostgres
internal import Glibc

/// One connection of libpq, closed when it goes out of scope.
@safe
internal struct ConnectionHandle: ~Copyable {
    internal let pointer: OpaquePointer

    private init(_ pointer: OpaquePointer) { self.pointer = pointer }

    /// Connects, blocking until it is done, has failed or has taken too long.
    internal static func open(
        _ settings: PostgresSettings
    ) throws(PostgresFailure) -> ConnectionHandle {
        try LibPQ.load()
        try settings.check()
        let parameters = settings.connectionParameters.sorted { $0.key < $1.key }
        let several = settings.hasSeveralHosts
        let opened = CStringArray(parameters.map(\.key)).withPointers { keywords in
            CStringArray(parameters.map(\.value)).withPointers { values in
                // libpq applies `connect_timeout` to each of several hosts only when it waits itself.
                several
                    ? PQconnectdbParams(keywords, values, 0)
                    : PQconnectStartParams(keywords, values, 0)
            }
        }
        guard let opened else { throw .client("There is no memory for a connection.") }
        let handle = ConnectionHandle(opened)
        if !several { try handle.finishConnecting(within: settings.connectTimeout) }
        guard PQstatus(opened) == CONNECTION_OK else { throw handle.connectFailure() }
        return handle
    }

    deinit { PQfinish(pointer) }

    private borrowing func finishConnecting(within limit: Duration?) throws(PostgresFailure) {
        // The SQLSTATE of a refusal is in the message only then.
        PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
        let deadline = limit.map { ContinuousClock.now + $0 }
        var waitsFor = PGRES_POLLING_WRITING
        while PQstatus(pointer) != CONNECTION_BAD, PQsocket(pointer) >= 0 {
            let events = waitsFor == PGRES_POLLING_READING ? POLLIN : POLLOUT
            guard Poll.wait(PQsocket(pointer), for: events, until: deadline) == .ready else {
                throw PostgresFailure(
                    .connection,
                    .cannotConnect,
                    "The server did not answer within \(limit ?? .zero)."
                )
            }
            waitsFor = PQconnectPoll(pointer)
            guard waitsFor == PGRES_POLLING_READING || waitsFor == PGRES_POLLING_WRITING else {
                break
            }
        }
        PQsetErrorVerbosity(pointer, PQERRORS_DEFAULT)
    }

    private borrowing func connectFailure() -> PostgresFailure {
        ConnectMessage.failure(String(cString: PQerrorMessage(pointer)))
    }

    /// What libpq last said about the connection.
    internal var errorMessage: String {
        ConnectMessage.statement(String(cString: PQerrorMessage(pointer)))
    }

    /// The failure of a call that gave no result.
    internal borrowing func failure() -> PostgresFailure {
        let isLost = PQstatus(pointer) == CONNECTION_BAD
        return PostgresFailure(
            isLost ? .connection : .client,
            isLost ? .connectionFailure : SQLState("08P01"),
            errorMessage
        )
    }

    /// A parameter that the server reports, such as `server_version`.
    internal borrowing func parameterStatus(_ name: String) -> String? {
        PQparameterStatus(pointer, name).map { String(cString: $0) }
    }

    /// Hands every notice to `notices`, which must outlive the connection.
    internal borrowing func deliverNotices(to notices: PostgresNotices) {
        let target = Unmanaged.passUnretained(notices).toOpaque()
        _ = PQsetNoticeReceiver(
            pointer,
            { target, result in
                guard let target, let result else { return }
                let notices = Unmanaged<PostgresNotices>.fromOpaque(target).takeUnretainedValue()
                notices.append(PostgresFailure(borrowedResult: result))
            },
            target
        )
    }
}
