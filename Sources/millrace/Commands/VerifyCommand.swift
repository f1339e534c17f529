import ArgumentParser
import ConnectorSDK
import JSONDocuments
import PipelineFile
import TableComparison

/// The command `millrace verify`.
struct VerifyCommand: MillraceCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare a source's tables with the tables that its sinks write.",
        discussion: """
            Reads both tables once, in the order of the key, and shows the keys whose rows are \
            missing in the sink, only in the sink, or different. Columns of the same name are \
            compared, and values by what they mean: 1.0 and 1.00 are equal, and so is a time that \
            a database without times keeps as text.

            Pipelines may run meanwhile: what differs is read again until it is equal or --settle \
            has passed. --repair then writes the source's rows over the sink's, for the keys in \
            question. The exit code is 0 when all tables are equal in the end, otherwise 1.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "Pipeline files.", completion: .file())
    var files: [String]

    @Option(help: "Only this source.")
    var source: String?

    @Option(help: "Only this sink.")
    var sink: String?

    @Option(help: "Only this table of the source; may be repeated.")
    var table: [String] = []

    @Option(
        help: ArgumentHelp(
            "Only rows with keys after this one: a value, or a JSON object as keys are shown.",
            valueName: "key"
        )
    )
    var after: KeyArgument?

    @Option(help: ArgumentHelp("Only rows with keys up to this one.", valueName: "key"))
    var through: KeyArgument?

    @Option(help: "How many seconds to wait for changes that are on their way.")
    var settle: Int = 5

    @Option(help: "How many keys to show of each table.")
    var show: Int = 20

    @Flag(help: "Make the sink's rows what the source's are.")
    var repair = false

    mutating func validate() throws {
        if !(0...86_400).contains(settle) {
            throw ValidationError("--settle must be from 0 to 86400 seconds.")
        }
        if !(0...TableComparer.differenceLimit).contains(show) {
            throw ValidationError("--show must be from 0 to \(TableComparer.differenceLimit).")
        }
    }

    mutating func execute() async throws -> ExitStatus {
        let set = PipelineFileSet(paths: files, catalog: BuiltinConnectors.catalog)
        try set.requireNoErrors()
        let pairs = try TablePair.all(in: set.definitions, source: source, sink: sink, of: table)
        var results: [VerifiedTable] = []
        for pair in pairs {
            let result = try await verify(pair)
            if !shared.json { try result.print(show: show) }
            results.append(result)
        }
        if shared.json {
            try StandardOutput.print(["tables": .array(results.map { $0.document(show: show) })])
        }
        return results.allSatisfy(\.isEqual) ? .done : .failed
    }

    private func verify(_ pair: TablePair) async throws -> VerifiedTable {
        let key = pair.source.table.key
        let after = try after?.values(of: key), through = try through?.values(of: key)
        do throws(ConnectorError) {
            let comparer = try TableComparer(source: pair.source.table, sink: pair.target)
            var result = VerifiedTable(pair, comparer)
            result.comparison = try comparer.compare(after: after, through: through)
            result.remaining = result.comparison.differences
            // Beyond the limit waiting settles nothing: something else is wrong.
            if !result.comparison.isCut { try await settle(&result, comparer) }
            if repair, !result.remaining.isEmpty {
                result.repaired = try comparer.repair(result.remaining)
                result.remaining = try comparer.recheck(result.remaining)
            }
            return result
        } catch {
            throw Failure(pair.redact(error))
        }
    }

    private func settle(
        _ result: inout VerifiedTable,
        _ comparer: TableComparer
    ) async throws(ConnectorError) {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(settle)
        while !result.remaining.isEmpty, clock.now < end {
            try? await clock.sleep(for: min(.milliseconds(500), end - clock.now))
            result.remaining = try comparer.recheck(result.remaining)
        }
    }
}
