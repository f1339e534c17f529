public import ConnectorSDK
public import PostgresClient

extension ConnectorError {
    /// Says what a failure to connect means to the engine and to a person.
    public static func postgres(
        connecting failure: PostgresFailure,
        _ settings: PostgresSettings
    ) -> ConnectorError {
        // D8: neither the settings' description nor libpq's message holds the password.
        let place = settings.description.isEmpty ? "" : " (\(settings))"
        return ConnectorError(
            Code(failure.isTransient ? "postgres.unreachable" : "postgres.connect"),
            failure.isTransient ? .retry(after: nil) : .failTask,
            "PostgreSQL\(place) cannot be used: \(failure.message)",
            kind: failure.origin == .client ? .configuration : .environment,
            at: "url",
            hint: failure.isTransient
                ? "Is the server running, and reachable from here?"
                : "Check host, database, user and password, and the server's pg_hba.conf.",
            underlying: failure
        )
    }

    /// Says what a statement's failure means; `action` completes "Cannot …" and names the table.
    ///
    /// The server's own words may quote values of rows, so of these only the objects at fault are
    /// shown (D8), but for errors in which they are names.
    public static func postgres(_ failure: PostgresFailure, _ action: String) -> ConnectorError {
        let verdict = PostgresVerdict(failure)
        let reason = verdict.namesObjects ? failure.message : failure.description
        return ConnectorError(
            Code("postgres." + verdict.reason),
            verdict.disposition,
            "Cannot \(action): \(reason.last == "." ? String(reason.dropLast()) : reason).",
            kind: verdict.isEnvironment ? .environment : .runtime,
            hint: verdict.hint ?? failure.hint,
            underlying: failure
        )
    }
}

/// What a condition of PostgreSQL calls for.
internal struct PostgresVerdict {
    internal let reason: String
    internal let disposition: ConnectorError.Disposition
    internal let isEnvironment: Bool
    internal let hint: String?
    /// Whether the server's message names objects and can quote no value.
    internal let namesObjects: Bool

    internal init(_ failure: PostgresFailure) {
        namesObjects =
            failure.origin != .server
            || ["42", "3D", "3F", "57", "08", "53"]
                .contains(failure.state.classCode)
        if failure.isConnectionLost || failure.isTransient {
            reason = failure.isConnectionLost ? "connection_lost" : "busy"
            disposition = .retry(after: nil)
            isEnvironment = true
            hint = nil
            return
        }
        switch failure.state.classCode {
        case "22", "23":
            reason = failure.state.classCode == "23" ? "constraint" : "value"
            disposition = .rejectRecord
            isEnvironment = false
            hint = nil
        case "25" where failure.state == .readOnlyTransaction:
            (reason, disposition, isEnvironment) = ("read_only", .failTask, true)
            hint = "The server is a standby, or the user's transactions are read-only."
        default:
            let isPrivilege = failure.state == .insufficientPrivilege
            reason =
                isPrivilege
                ? "privilege" : failure.state == .queryCancelled ? "timeout" : "refused"
            disposition = failure.state == .queryCancelled ? .retry(after: nil) : .failTask
            isEnvironment = isPrivilege || failure.state == .queryCancelled
            hint =
                isPrivilege
                ? "Grant the user the privilege."
                : failure.state == .queryCancelled ? "Raise statement.timeout.ms." : nil
        }
    }
}
