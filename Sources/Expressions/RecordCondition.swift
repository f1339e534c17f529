package import ConnectorSDK
internal import JQPrograms

/// A condition on records: one that compares fields and constants, which runs on cells, or else a
/// program in jq's language.
package enum RecordCondition {
    case native(Condition)
    case program(JqCondition)

    package init(
        _ text: String,
        at key: String,
        _ configuration: Configuration
    ) throws(ConnectorError) {
        do throws(ConditionSyntaxError) {
            self = .native(try Condition(text))
        } catch {
            if let problem = Self.problem(with: text) {
                throw .invalid(key, "The value \(problem).")
            }
            self = .program(try JqCondition(text, at: key, configuration))
        }
    }

    /// Why a text is no condition; `nil` when it is one.
    package static func problem(with text: String) -> String? {
        do throws(ConditionSyntaxError) {
            _ = try ConditionParser.parse(text)
            return nil
        } catch {
            guard let problem = JqKeys.problem(with: text) else {
                // It would hold for all records.
                return hasAssignment(text)
                    ? "has an assignment, where a comparison is written `==`" : nil
            }
            // What has nothing of jq in it was meant to be a comparison, of which we know more.
            return text.contains { "|[]{}$?;+*/%".contains($0) }
                ? problem : "is not a condition: \(error.description)"
        }
    }

    /// Whether `=` stands in a program as an operator of its own or at the end of one, as in `|=`.
    private static func hasAssignment(_ program: String) -> Bool {
        let scalars = Array(program.unicodeScalars)
        var at = 0
        while at < scalars.count {
            let next = at + 1 < scalars.count ? scalars[at + 1] : " "
            switch scalars[at] {
            case "\"":
                at += 1
                while at < scalars.count, scalars[at] != "\"" {
                    at += scalars[at] == "\\" ? 2 : 1
                }
            case "=", "!", "<", ">":
                if next == "=" {
                    at += 1
                } else if scalars[at] == "=" {
                    return true
                }
            default: break
            }
            at += 1
        }
        return false
    }
}

/// A condition that is a program in jq's language.
package final class JqCondition {
    private let program: JQProgram
    private let input: JqInput

    package init(_ text: String, at key: String, _ configuration: Configuration)
        throws(ConnectorError)
    {
        program = try JqKeys.program(text, at: key, configuration)
        input = JqInput(mayRound: try configuration.get(JqKeys.numbers) == .double)
    }

    /// Keeps the rows for which the program gives a value that is neither false nor null, and
    /// tombstones; rejects those for which it fails.
    package func keep(in batch: RecordBatch) throws(ConnectorError) {
        var holds: [Bool] = []
        holds.reserveCapacity(batch.count)
        var rejected: [(row: Int, error: ConnectorError)] = []
        program.perform {
            for row in batch.indices {
                if batch.metadata(row).pointee.isTombstone {
                    holds.append(true)
                    continue
                }
                do throws(ConnectorError) {
                    holds.append(try isTrue(batch, row))
                } catch {
                    rejected.append((row, error))
                }
            }
        }
        if let error = rejected.last?.error, error.disposition != .rejectRecord { throw error }
        batch.reject(rejected)
        batch.filter { holds[$0] }
    }

    private func isTrue(_ batch: RecordBatch, _ row: Int) throws(ConnectorError) -> Bool {
        var isTrue = false
        try input.run(program, batch, row: row) { value in
            isTrue = value.isTrue
            return !isTrue
        }
        return isTrue
    }
}
