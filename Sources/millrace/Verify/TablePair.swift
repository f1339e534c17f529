import ConnectorSDK
import PipelineEngine
import TableComparison

/// A source's table and the table that a sink writes of it.
struct TablePair {
    let topic: String
    let source: SourceTable
    let target: any RepairableTable
    private let connectors: [ResolvedConnector]

    /// The error without the secrets of either side. (D8)
    func redact(_ error: ConnectorError) -> ConnectorError {
        connectors.reduce(error) { $1.redact($0) }
    }

    /// The pairs of all pipelines, in their order.
    ///
    /// - Throws: when nothing can be compared, with the reason.
    static func all(
        in pipelines: [PipelineDefinition],
        source: String?,
        sink: String?,
        of tables: [String]
    ) throws -> [TablePair] {
        var pairs: [TablePair] = []
        for pipeline in pipelines {
            let connectors = pipeline.connectors
            let sources = connectors.filter { $0.kind == .source && named($0, source) }
            let sinks = connectors.filter { $0.kind == .sink && named($0, sink) }
            for source in sources {
                for sink in sinks {
                    pairs += try self.pairs(from: source, to: sink, of: tables, in: pipeline)
                }
            }
        }
        guard pairs.isEmpty else { return pairs }
        throw Failure(
            .configuration,
            code: "verify.nothing",
            "There is no table of a source that a sink of the same pipeline writes.",
            hint: tables.isEmpty && source == nil && sink == nil
                ? "Tables are compared between databases, such as postgres and sqlite."
                : "Check --source, --sink and --table."
        )
    }

    private static func named(_ definition: ConnectorDefinition, _ name: String?) -> Bool {
        name == nil || definition.name == name
    }

    private static func pairs(
        from source: ConnectorDefinition,
        to sink: ConnectorDefinition,
        of tables: [String],
        in pipeline: PipelineDefinition
    ) throws -> [TablePair] {
        let catalog = BuiltinConnectors.catalog
        guard let sourceType = catalog.source(source.plugin) as? any ComparableSource.Type,
            let sinkType = catalog.sink(sink.plugin) as? any ComparableSink.Type
        else { return [] }
        do throws(ConnectorError) {
            let from = try ResolvedConnector(source, of: pipeline, catalog: catalog)
            let to = try ResolvedConnector(sink, of: pipeline, catalog: catalog)
            let connectors = [from, to]
            do throws(ConnectorError) {
                var pairs: [TablePair] = []
                for table in try sourceType.comparableTables(from.configuration)
                where to.reads(table.topic) && (tables.isEmpty || tables.contains(table.tableName))
                {
                    let target = try sinkType.comparableTable(
                        forTopic: table.topic,
                        table: table.tableName,
                        key: table.table.key,
                        to.configuration
                    )
                    guard let target else { throw missing(table, sink.name) }
                    pairs.append(
                        TablePair(
                            topic: table.topic,
                            source: table,
                            target: target,
                            connectors: connectors
                        )
                    )
                }
                return pairs
            } catch {
                throw connectors.reduce(error) { $1.redact($0) }
            }
        } catch {
            throw Failure(error)
        }
    }

    private static func missing(_ table: SourceTable, _ sink: String) -> ConnectorError {
        ConnectorError(
            .init("verify.no_table"),
            .failTask,
            "The sink `\(sink)` has no table for \(table.table.name) yet (topic \(table.topic)).",
            hint: "Run the pipeline first, or leave the table out with --table."
        )
    }
}
