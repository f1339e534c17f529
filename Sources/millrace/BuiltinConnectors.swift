import CSVFormat
import ConnectorSDK
import Converters
import ExecConnector
import FileConnector
import GenerateConnector
import HTTPConnector
import JSONFormat
import KafkaConnector
import LinesFormat
import PipelineEngine
import PostgresCDCConnector
import PostgresConnector
import SQLiteCDCConnector
import SQLiteConnector
import SingerConnector
import StandardStreams
import SubprocessConnector
import SyslogConnector
import TopicConnector
import Transforms
import XMLFormat

/// Everything that pipelines can name: what is not in these lists does not exist.
enum BuiltinConnectors {
    static let catalog = PluginCatalog(
        sources: [
            ExecSource.self, FileSource.self, GenerateSource.self, HTTPSource.self,
            KafkaSource.self, PostgresSource.self, PostgresCDCSource.self, SQLiteCDCSource.self,
            SQLiteSource.self, SingerSource.self, StdinSource.self, SubprocessSource.self,
            SyslogSource.self, TopicSource.self,
        ],
        sinks: [
            FileSink.self, HTTPSink.self, KafkaSink.self, PostgresSink.self, SQLiteSink.self,
            StdoutSink.self, SingerSink.self, SubprocessSink.self, TopicSink.self,
        ],
        formats: FormatCatalog([
            CSVFormat.self, JSONFormat.self, LinesFormat.self, XMLFormat.self,
        ]),
        converters: builtInConverters,
        transforms: builtInTransforms,
        predicates: builtInPredicates,
        formatAliases: ["csv", "json", "xml"]
    )
}
