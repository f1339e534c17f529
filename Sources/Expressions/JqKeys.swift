package import ConnectorSDK
package import JQPrograms

/// The configuration keys of everything that runs programs in jq's language, and how a
/// configuration becomes a program.
package enum JqKeys {
    package static let timeout = ConfigKey.duration(
        "timeout.ms",
        default: .seconds(1),
        in: .milliseconds(20) ... .seconds(3_600),
        importance: .low,
        help: "How long a program may run for one record; the record is then rejected."
    )
    package static let memory = ConfigKey.size(
        "memory.max",
        default: 128 << 20,
        in: 1 << 20...512 << 20,
        importance: .low,
        help: """
            By how much the process may grow while a program runs for one record, and how large one \
            array or text may be; the record is then rejected. libjq does not survive texts of 1 GiB, so that this must end a program before.
            """
    )
    package static let values = ConfigKey.int(
        "values.max",
        default: 10_000,
        in: 1...10_000_000,
        importance: .low,
        help: "How many values a program may give for one record; with more the record is rejected."
    )
    package static let numbers = ConfigKey<JqNumberMode>.choice(
        "numbers",
        default: .exact,
        importance: .low,
        help: """
            jq has 64-bit floating-point numbers only. `exact`: a record with a number that they \
            cannot hold, such as most integers above 2^53, is rejected. `double`: it is rounded, as \
            the `jq` command does.
            """
    )

    /// Why a text is no program, for the validation of a key; `nil` when it is one.
    package static func problem(with program: String) -> String? {
        guard let error = JQProgram.problem(with: program) else { return nil }
        return sentence(error)
    }

    /// Compiles the program of a key.
    package static func program(
        _ text: String,
        at key: String,
        _ configuration: Configuration
    ) throws(ConnectorError) -> JQProgram {
        let limits = JQProgram.Limits(
            time: try configuration.get(timeout),
            memory: try configuration.get(memory),
            values: try configuration.get(values)
        )
        do throws(JQError) {
            return try JQProgram(text, limits: limits)
        } catch {
            switch error.code {
            case .unavailable, .thread:
                throw ConnectorError(
                    .init("jq.unavailable"),
                    .failTask,
                    sentence(error) + ".",
                    kind: .environment,
                    at: key
                )
            default: throw .invalid(key, "The value \(sentence(error)).")
            }
        }
    }

    private static func sentence(_ error: JQError) -> String {
        switch error.code {
        case .unavailable:
            """
            needs jq's library, which cannot be loaded: \(error.message); on Debian it is in the \
            package libjq1
            """
        case .thread: "needs a thread of its own, which cannot be started: \(error.message)"
        default: "is not a program in jq's language: \(error.message)"
        }
    }

    private static let limitHint = """
        Have the program look at what it makes arrays, texts and loops of before it does, or raise \
        `timeout.ms`, `memory.max` or `values.max`.
        """

    /// The rejection of a record for which a program failed, or why the task cannot go on.
    package static func rejection(_ error: JQError) -> ConnectorError {
        if error.code == .exhausted {
            return ConnectorError(
                .init("jq.exhausted"),
                .failTask,
                "The program is not run any more: \(error.message), and each time memory is lost.",
                hint: "Have the program look at what it uses as an index or a slice before it does."
            )
        }
        return ConnectorError(
            .init("jq.\(error.code.name)"),
            .rejectRecord,
            error.code == .raised
                ? "The program raised an error: \(error.message)."
                : "The record cannot be used with the program: \(error.message).",
            hint: error.code == .limit ? limitHint : nil
        )
    }
}

/// What becomes of numbers that jq cannot hold.
package enum JqNumberMode: String, CaseIterable, Sendable {
    case exact, double
}
