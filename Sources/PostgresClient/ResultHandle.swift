internal import CPostgres

/// One result of libpq, freed when it goes out of scope.
@safe
internal struct ResultHandle: ~Copyable {
    internal let pointer: OpaquePointer

    internal init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(pointer) }

    internal var status: ExecStatusType { PQresultStatus(pointer) }

    /// Whether the result reports an error.
    internal var isError: Bool {
        status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE
            || status == PGRES_NONFATAL_ERROR
    }

    internal borrowing func failure() -> PostgresFailure {
        PostgresFailure(borrowedResult: pointer)
    }
}

extension PostgresFailure {
    /// Copies what a result says, without taking it over.
    internal init(borrowedResult result: OpaquePointer) {
        func field(_ code: Character) -> String? {
            guard let value = code.asciiValue,
                let text = PQresultErrorField(result, Int32(value))
            else { return nil }
            return String(cString: text)
        }
        // Letters are the protocol's own: PG_DIAG_SQLSTATE and so on.
        guard let code = field("C") else {
            // Made by libpq itself, because the connection broke.
            let text = String(cString: PQresultErrorMessage(result))
            let words = text.split(whereSeparator: \.isNewline).joined(separator: " ")
            self.init(.connection, .connectionFailure, words)
            return
        }
        self.init(.server, SQLState(code), field("M") ?? "")
        let severity = field("V") ?? field("S")
        isFatal = severity == "FATAL" || severity == "PANIC"
        detail = field("D")
        hint = field("H")
        context = field("W")
        schema = field("s")
        table = field("t")
        column = field("c")
        dataType = field("d")
        constraint = field("n")
    }
}
