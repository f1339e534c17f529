public import ConnectorSDK
internal import Expressions
internal import JQPrograms

/// Runs a program in jq's language on every value.
public final class Jq: Transform {
    public static let name = "Jq"
    public static let summary =
        "Makes none, one or many records of each, by a program in jq's language."
    public static let configuration = ConfigSpec()
        .with(programKey).with(rawOutputKey).with(JqKeys.numbers).with(JqKeys.timeout)
        .with(JqKeys.memory).with(JqKeys.values)

    private static let programKey = ConfigKey.required(
        "program",
        help: """
            A program in jq's language, such as `{id, total: (.lines | map(.price) | add)}` or \
            `select(.level != "debug") | .lines[]`. Its input is the value as JSON; a value that is a \
            line of text is a string. Each object that it gives is a record with that object's fields, \
            and the key, headers and timestamp that the record had; `empty` gives none. `null` is a \
            tombstone. Another value becomes a record that is its JSON text. `$record` is an object \
            with `topic`, `partition`, `offset`, `timestamp` (milliseconds), `key` and `headers`. Types \
            that JSON does not have become text, as in a topic. An error that the program does not \
            catch rejects the record. Tombstones pass untouched. There are no modules, further \
            inputs or arguments.
            """,
        validator: { JqKeys.problem(with: $0) }
    )
    private static let rawOutputKey = ConfigKey.bool(
        "raw.output",
        default: false,
        help: "Whether a string that the program gives is a text as it is, not JSON in quotes."
    )

    private let program: JQProgram
    private let input: JqInput
    private let output: JqOutput

    public init(configuration: Configuration) throws(ConnectorError) {
        program = try JqKeys.program(
            configuration.get(Self.programKey),
            at: Self.programKey.declaration.name,
            configuration
        )
        input = JqInput(mayRound: try configuration.get(JqKeys.numbers) == .double)
        output = JqOutput(isRaw: try configuration.get(Self.rawOutputKey))
    }

    public func trace(_ outline: inout RecordOutline) {
        // What a program makes, only it knows.
        outline.value = .unknown
    }

    /// Runs the program on a batch whose results fit one schema.
    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        let parts = try split(batch)
        guard parts.count == 1 else {
            throw ConnectorError(
                .init("transform.several_schemas"),
                .failTask,
                "The results for one batch have become \(parts.count) batches."
            )
        }
        let rejections = batch.takeRejections()
        batch.copyRows(parts[0].indices, of: parts[0])
        batch.retain(parts[0])
        rejections.forEach { batch.reject($0) }
    }

    public func split(_ batch: RecordBatch) throws(ConnectorError) -> [RecordBatch] {
        guard batch.count > 0 else { return [batch] }
        var rejected: [(row: Int, error: ConnectorError)] = []
        output.begin(batch)
        program.perform {
            for row in batch.indices {
                guard let error = run(batch, row) else { continue }
                rejected.append((row, error))
            }
        }
        let results = output.end()
        if let error = rejected.last?.error, error.disposition != .rejectRecord { throw error }
        batch.reject(rejected)
        return results
    }

    /// Runs the program for one record; returns why the record is rejected.
    private func run(_ batch: RecordBatch, _ row: Int) -> ConnectorError? {
        if batch.metadata(row).pointee.isTombstone {
            output.appendTombstone(row)
            return nil
        }
        let mark = output.mark
        var refused: ConnectorError?
        do throws(ConnectorError) {
            try input.run(program, batch, row: row) { value in
                refused = output.append(value, row)
                return refused == nil
            }
        } catch {
            refused = error
        }
        // D6: a record is rejected as a whole, or all its results go on.
        if refused != nil { output.takeBack(to: mark) }
        return refused
    }
}
