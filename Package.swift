// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")

/// A connector is two targets: the module and its tests.
///
/// It sees the SDK and the libraries it wraps. It never sees the engine, a store or another
/// connector.
func connector(
    _ folder: String,
    module: String,
    libraries: [Target.Dependency] = [],
    testedWith formats: [Target.Dependency] = []
) -> [Target] {
    [
        .target(
            name: module,
            dependencies: ["ConnectorSDK"] + libraries,
            path: "connectors/\(folder)/Sources",
            swiftSettings: settings
        ),
        .testTarget(
            name: "\(module)Tests",
            dependencies: [
                .init(stringLiteral: module), "ConnectorSDK", "ConnectorTesting", "TestServices",
            ] + libraries + formats,
            path: "connectors/\(folder)/Tests",
            swiftSettings: settings
        ),
    ]
}

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(
    _ name: String,
    _ dependencies: [Target.Dependency],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        exclude: exclude,
        swiftSettings: settings
    )
}

let cLibraries: [Target] = [
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CXML", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
    .target(name: "CBytes"),
    .target(name: "CLinux"),
    .target(name: "CTerminal"),
    .target(name: "CChild"),
    .target(name: "CFileShim"),
    .target(name: "CXMLShim", dependencies: ["CXML"]),
    .target(name: "CSQLiteShim", dependencies: ["CSQLite"]),
    .target(name: "CPostgres"),
    .target(name: "CKafka"),
    .target(name: "CJQ"),
    .target(name: "CCurl"),
]

let package = Package(
    name: "millrace",
    products: [
        .executable(name: "millrace", targets: ["millrace"]),
        .library(name: "ConnectorSDK", targets: ["ConnectorSDK"]),
        .library(name: "ConnectorTesting", targets: ["ConnectorTesting"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    ],
    targets: cLibraries + [
        module("ConnectorSDK", [logging]),
        module("ConnectorTesting", ["ConnectorSDK"]),
        module("FileSystem", ["ConnectorSDK", "CFileShim", "CLinux"]),
        module("RecordTemplates", ["ConnectorSDK"]),
        module("TextEncoding", ["ConnectorSDK"]),
        module("RegularExpressions", ["CPCRE2"]),
        module("Digests", ["CCrypto"]),
        module("ChildProcesses", ["ConnectorSDK", "JSONDocuments", "CChild"]),
        module(
            "RecordStreams",
            ["ConnectorSDK", "Compression", "TextEncoding", "JSONDocuments"]
        ),
        module("JSONRecords", ["ConnectorSDK", "CBytes"]),
        module(
            "TextParsing",
            ["ConnectorSDK", "JSONRecords", "RegularExpressions", "SyslogMessages", "CBytes"]
        ),
        module("ChangeCapture", ["ConnectorSDK", "JSONRecords", "RegularExpressions", "CBytes"]),
        module("Listening", ["ConnectorSDK", "CLinux", logging, nio, nioPosix, nioSSL]),
        module("HTTPRequests", ["ConnectorSDK", "Compression", "Digests", "JSONRecords", nio]),
        module("HTTPClient", ["ConnectorSDK", "CCurl"]),
        module("SyslogMessages", ["ConnectorSDK", "JSONRecords", "CBytes"]),
        module("Compression", ["ConnectorSDK", "CZstd", "CLZ4", "CZlib", "CSnappy"]),
        module("SQLiteClient", ["CSQLite", "CSQLiteShim"]),
        module("JQPrograms", ["CJQ", "ConnectorSDK"]),
        module("LogicalReplication", []),
        module("JSONDocuments", []),
        module("TableMapping", ["ConnectorSDK", "JSONDocuments", "RecordTemplates"]),
        module("PostgresClient", ["CPostgres"]),
        module("KafkaClient", ["CKafka", "CLinux"]),
        module(
            "SQLiteTables",
            [
                "ConnectorSDK", "SQLiteClient", "TableMapping", "TableComparison", "CSQLite",
                "CSQLiteShim",
            ]
        ),
        module(
            "PostgresRecords",
            ["ConnectorSDK", "JSONRecords", "PostgresClient", "TableComparison"]
        ),
        module("Topics", ["ConnectorSDK", "Compression", "CBytes"]),
        module("TopicLog", ["Topics", "ConnectorSDK", "SQLiteClient", "CLinux", logging]),
        module("KafkaRecords", ["KafkaClient", "ConnectorSDK"]),
        module("KafkaTopics", ["KafkaRecords", "KafkaClient", "Topics", "ConnectorSDK"]),
        module("Converters", ["ConnectorSDK", "JSONRecords"]),
        module("Expressions", ["ConnectorSDK", "JSONRecords", "JQPrograms", "CBytes"]),
        module("ValueConversion", ["ConnectorSDK", "JSONRecords", "Expressions"]),
        module("RecordFields", ["ConnectorSDK", "JSONRecords"]),
        module(
            "TopicRouting",
            ["ConnectorSDK", "RegularExpressions", "RecordFields", "ValueConversion"]
        ),
        module("Aggregation", ["ConnectorSDK", "RecordFields", "Expressions"]),
        module(
            "ChangeTransforms",
            ["ConnectorSDK", "JSONRecords", "RecordFields", "TopicRouting", "RegularExpressions"]
        ),
        module(
            "LineTransforms",
            [
                "ConnectorSDK", "JSONRecords", "RecordFields", "ValueConversion", "TextParsing",
                "SyslogMessages", "RegularExpressions",
            ]
        ),
        module(
            "RowTransforms",
            [
                "ConnectorSDK", "JSONRecords", "RecordFields", "TextParsing", "SQLiteClient",
                "Digests",
            ]
        ),
        module(
            "Transforms",
            [
                "ConnectorSDK", "JSONRecords", "JQPrograms", "RegularExpressions", "RecordFields",
                "Expressions", "ValueConversion", "TopicRouting", "Aggregation",
                "ChangeTransforms", "LineTransforms", "RowTransforms",
            ]
        ),
        module("TableComparison", ["ConnectorSDK", "Expressions"]),
        module("PipelineEngine", ["ConnectorSDK", "Topics", "RegularExpressions", logging]),
        module(
            "KafkaWorkers",
            [
                "KafkaClient", "KafkaRecords", "PipelineEngine", "ConnectorSDK", "JSONDocuments",
                logging,
            ]
        ),
        module(
            "PipelineFile",
            [
                "ConnectorSDK", "JSONDocuments", "PipelineEngine",
                .product(name: "Yams", package: "Yams"),
            ]
        ),
        .executableTarget(
            name: "millrace",
            dependencies: [
                "ConnectorSDK", "Topics", "TopicLog", "KafkaTopics", "KafkaWorkers", "Converters",
                "Transforms", "PipelineEngine", "PipelineFile", "JSONDocuments", "JSONRecords",
                "SQLiteClient", "TableComparison", "Digests",
                "FileConnector",
                "LinesFormat", "JSONFormat",
                "CSVFormat", "XMLFormat", "SQLiteConnector", "SQLiteCDCConnector",
                "PostgresCDCConnector",
                "PostgresConnector", "FileSystem", "StandardStreams", "GenerateConnector",
                "TopicConnector",
                "ExecConnector", "SingerConnector", "SubprocessConnector",
                "HTTPConnector", "KafkaConnector", "SyslogConnector",
                "CTerminal", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        tests("ConnectorSDKTests", ["ConnectorSDK"]),
        tests(
            "KafkaWorkersTests",
            ["KafkaWorkers", "KafkaClient", "PipelineEngine", "ConnectorSDK", "TestServices"]
        ),
        tests("ChildProcessesTests", ["ChildProcesses", "ConnectorSDK", "TestServices"]),
        tests("FileSystemTests", ["FileSystem", "ConnectorSDK", "TestServices"]),
        tests("TextEncodingTests", ["TextEncoding", "ConnectorSDK"]),
        tests(
            "TextParsingTests",
            [
                "TextParsing", "ConnectorSDK", "RegularExpressions", "SyslogMessages",
                "TestServices",
            ],
            exclude: ["reference.py"]
        ),
        tests("RegularExpressionsTests", ["RegularExpressions"]),
        tests("RecordTemplatesTests", ["RecordTemplates", "ConnectorSDK"]),
        tests("JSONRecordsTests", ["JSONRecords", "ConnectorSDK"]),
        tests("ChangeCaptureTests", ["ChangeCapture", "ConnectorSDK", "ConnectorTesting"]),
        tests("ListeningTests", ["Listening", "ConnectorSDK", "TestServices"]),
        tests("HTTPRequestsTests", ["HTTPRequests", "ConnectorSDK"]),
        tests("SyslogMessagesTests", ["SyslogMessages", "ConnectorSDK"]),
        tests("CompressionTests", ["Compression", "ConnectorSDK", "CSnappy"]),
        tests("JSONDocumentsTests", ["JSONDocuments"]),
        tests("JQProgramsTests", ["JQPrograms"]),
        tests("TableMappingTests", ["TableMapping", "ConnectorSDK"]),
        tests("SQLiteClientTests", ["SQLiteClient"]),
        tests("SQLiteTablesTests", ["SQLiteTables", "ConnectorSDK"]),
        tests("LogicalReplicationTests", ["LogicalReplication", "TestServices"]),
        tests("PostgresClientTests", ["PostgresClient", "TestServices"]),
        tests("KafkaClientTests", ["KafkaClient", "TestServices"]),
        tests(
            "KafkaTopicsTests",
            [
                "KafkaTopics", "KafkaClient", "TopicLog", "Topics", "ConnectorSDK", "TestServices",
                logging,
            ]
        ),
        tests(
            "PostgresRecordsTests",
            ["PostgresRecords", "PostgresClient", "ConnectorSDK", "TestServices"]
        ),
        tests(
            "TopicsTests",
            ["Topics", "ConnectorSDK", "Compression", "CBytes", "TestServices"],
            exclude: ["kafka_records.py"]
        ),
        tests("TopicLogTests", ["TopicLog", "Topics", "ConnectorSDK", "SQLiteClient"]),
        tests("ConvertersTests", ["Converters", "JSONRecords", "ConnectorSDK"]),
        tests(
            "TransformsTests",
            [
                "Transforms", "Aggregation", "ChangeTransforms", "LineTransforms", "RowTransforms",
                "TopicRouting", "ValueConversion", "RecordFields", "Expressions", "ConnectorSDK",
                "JSONDocuments", "JSONRecords", "SQLiteClient", "TestServices",
            ],
            exclude: ["ConnectTable"]
        ),
        tests(
            "PipelineEngineTests",
            [
                "PipelineEngine", "TopicLog", "KafkaTopics", "Topics", "Converters", "Transforms",
                "RowTransforms", "ConnectorSDK", "TestServices", "TopicConnector", logging,
            ]
        ),
        tests("PipelineFileTests", ["PipelineFile", "PipelineEngine", "Topics", "ConnectorSDK"]),
        .target(
            name: "Fuzzers",
            dependencies: [
                "ConnectorSDK", "CBytes", "Topics", "JSONRecords", "JSONFormat", "CSVFormat",
                "XMLFormat", "LogicalReplication", "RegularExpressions", "SyslogMessages",
                "TextParsing", "HTTPRequests",
            ],
            path: "fuzz",
            exclude: ["corpus"],
            swiftSettings: settings
        ),
        .target(name: "CSpawn", path: "Tests/CSpawn"),
        .target(
            name: "TestServices",
            dependencies: ["PostgresClient", "CKafka", "CSpawn", logging],
            path: "Tests/TestServices",
            exclude: [
                "kafka_cluster.py", "kafka_gate.py", "kafka_isolation.py", "kafka_topics.py",
            ],
            swiftSettings: settings
        ),
        tests(
            "EndToEndTests",
            ["TestServices", "millrace", "SQLiteClient", "PostgresClient"],
            exclude: ["compare.py", "hostile.py"]
        ),
        tests("AllocationTests", ["TestServices", "millrace"], exclude: ["count_mallocs.c"]),
        tests(
            "ChaosTests",
            ["TestServices", "PostgresClient", "millrace"],
            exclude: [
                "capture.py", "cluster.py", "cluster_outage.py", "damage.py", "disk_full.py",
                "follow.py", "kill.py", "replication.py", "servers.py", "streams.py",
                "transactions.py", "worker.py", "workers.py", "writers.py",
            ]
        ),
        tests("CommandTests", ["TestServices", "millrace"]),
        tests(
            "ListenerTests",
            ["TestServices", "millrace"],
            exclude: [
                "crowd.py", "http_pressure.py", "http_sink.py", "http_source.py",
                "http_stopping.py", "http_strangers.py", "syslog_source.py", "syslog_strangers.py",
                "tls_renewal.py", "worker.py",
            ]
        ),
        tests(
            "PostgresCDCTests",
            [
                "ConnectorSDK", "Converters", "PipelineEngine", "PostgresCDCConnector",
                "PostgresClient", "LogicalReplication", "TestServices", "TopicLog", "Topics",
                "millrace", logging,
            ]
        ),
        tests(
            "WritingAConnectorTests",
            [
                "ConnectorSDK", "ConnectorTesting", "Converters", "PipelineEngine", "TestServices",
                "TopicLog", logging,
            ]
        ),
        tests("TidyTests", ["TestServices"]),
    ]
        + connector(
            "file",
            module: "FileConnector",
            libraries: [
                "FileSystem", "JSONDocuments", "RecordStreams", "RecordTemplates",
                "RegularExpressions", "TextEncoding", "Compression", logging,
            ],
            testedWith: ["LinesFormat"]
        )
        + connector(
            "stdio",
            module: "StandardStreams",
            libraries: ["RecordStreams", "JSONDocuments", logging],
            testedWith: ["LinesFormat", "JSONFormat", "CSVFormat", "XMLFormat"]
        )
        + connector(
            "exec",
            module: "ExecConnector",
            libraries: ["ChildProcesses", "RecordStreams", "JSONDocuments", logging],
            testedWith: ["LinesFormat", "JSONFormat"]
        )
        + connector(
            "singer",
            module: "SingerConnector",
            libraries: ["ChildProcesses", "RecordStreams", "JSONDocuments", "JSONRecords", logging]
        )
        + connector(
            "subprocess",
            module: "SubprocessConnector",
            libraries: ["ChildProcesses", "RecordStreams", "JSONDocuments", "JSONRecords", logging]
        )
        + connector(
            "generate",
            module: "GenerateConnector",
            libraries: ["JSONDocuments", logging]
        )
        + connector("topic", module: "TopicConnector", libraries: ["RecordTemplates"])
        + connector(
            "kafka",
            module: "KafkaConnector",
            libraries: [
                "KafkaClient", "KafkaRecords", "RecordTemplates", "RegularExpressions",
                "JSONDocuments", logging,
            ]
        )
        + connector("lines", module: "LinesFormat")
        + connector("json", module: "JSONFormat", libraries: ["JSONRecords"])
        + connector("csv", module: "CSVFormat", libraries: ["CBytes", "JSONRecords"])
        + connector("xml", module: "XMLFormat", libraries: ["CXML", "CXMLShim", "JSONRecords"])
        + connector(
            "postgres-cdc",
            module: "PostgresCDCConnector",
            libraries: [
                "ChangeCapture", "FileSystem", "JSONDocuments", "JSONRecords",
                "LogicalReplication",
                "PostgresClient", "PostgresRecords", "TableComparison", logging,
            ]
        )
        + connector(
            "sqlite",
            module: "SQLiteConnector",
            libraries: [
                "SQLiteClient", "SQLiteTables", "TableMapping", "TableComparison", "FileSystem",
                logging,
            ]
        )
        + connector(
            "postgres",
            module: "PostgresConnector",
            libraries: [
                "PostgresClient", "PostgresRecords", "TableMapping", "TableComparison", logging,
            ]
        )
        + connector(
            "http",
            module: "HTTPConnector",
            libraries: [
                "Compression", "HTTPClient", "HTTPRequests", "JSONRecords", "Listening",
                "RecordTemplates",
                logging, nio, nioHTTP1, nioTLS,
            ]
        )
        + connector(
            "syslog",
            module: "SyslogConnector",
            libraries: ["Listening", "SyslogMessages", logging, nio, nioTLS]
        )
        + connector(
            "sqlite-cdc",
            module: "SQLiteCDCConnector",
            libraries: [
                "ChangeCapture", "FileSystem", "JSONRecords", "SQLiteClient", "SQLiteTables",
                "TableComparison", "TableMapping", logging,
            ]
        )
)
