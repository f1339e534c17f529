/// A pipeline file to start from.
struct PipelineTemplate {
    var name: String
    var summary: String
    var text: String

    static let all = [
        csvToSQLite, jsonToFiles, xmlToSQLite, logs, accessLogs, sqliteToFiles,
        csvToPostgres, postgresToFiles, postgresCapture, sqliteCapture,
    ]

    private static let csvToSQLite = PipelineTemplate(
        name: "csv-to-sqlite",
        summary: "CSV files from an inbox into a SQLite table, each record once",
        text: """
            # Loads CSV files into a SQLite table. Run it again when new files have come: only those
            # are read. `millrace plugins describe csv` and `... sqlite` explain every key.
            pipeline: csv-to-sqlite

            topics:
              # Records wait here until every sink has them, and stay for a week.
              orders: {partitions: 2, retention.ms: 7d}

            sources:
              orders-inbox:
                connector: csv
                # Relative paths start from this file's directory.
                include: inbox/*.csv
                topic: orders
                # Records with the same key stay in order.
                key.fields: [id]
                # Columns get their types cell by cell; say so here to insist on one:
                # types: {amount: decimal, ordered_at: string}
                errors:
                  # A line that cannot be read goes to the dead letter topic, see `millrace dlq`.
                  tolerance: all
                  deadletterqueue.topic.name: orders-dlq

            sinks:
              orders-db:
                connector: sqlite
                topics: [orders]
                path: orders.db
                # One row per key: a later record replaces the earlier one.
                insert.mode: upsert
                pk.mode: record_key

            """
    )

    private static let jsonToFiles = PipelineTemplate(
        name: "json-to-files",
        summary: "JSON Lines from files through a topic into rotated JSON files",
        text: """
            # Copies JSON records from files into JSON Lines files, one set per partition.
            pipeline: json-to-files

            topics:
              events: {partitions: 2}

            sources:
              events-in:
                connector: json
                # Lines, an array or one document; the format finds out by itself.
                include: in/*.json*
                topic: events
                transforms:
                  # Transforms apply in this order, before records reach the topic.
                  - {type: ReplaceField, exclude: [debug]}

            sinks:
              events-out:
                connector: json
                topics: [events]
                path: out/${topic}-${partition}.jsonl
                rotate.size: 64MiB

            """
    )

    private static let xmlToSQLite = PipelineTemplate(
        name: "xml-to-sqlite",
        summary: "repeated elements of XML files into a SQLite table",
        text: """
            # Reads every element at `record.path` of XML files as a record, in bounded memory.
            pipeline: xml-to-sqlite

            topics:
              books: {partitions: 1}

            sources:
              books-xml:
                connector: xml
                include: in/*.xml
                record.path: /catalogue/book
                # An attribute `id` becomes the field `@id`, text beside children `#text`.
                # An element that may repeat is an array even when there is only one:
                force.array: [author]
                topic: books

            sinks:
              books-db:
                connector: sqlite
                topics: [books]
                path: books.db
                # Adds columns when a record has new fields.
                auto.evolve: true

            """
    )

    private static let logs = PipelineTemplate(
        name: "logs",
        summary: "log files, followed line by line, into a topic and one file per partition",
        text: """
            # Follows log files, also while they are rotated. Lines reach the topic exactly as they
            # are, each once. Runs until it is stopped; with --until-end it takes what is new.
            pipeline: logs

            topics:
              logs: {partitions: 1, retention.ms: 30d, compression.type: zstd}

            sources:
              log-files:
                connector: file
                follow: true
                # With the names of rotated files: so none is missed that is rotated twice while
                # this does not run.
                include: [/var/log/*.log, /var/log/*.log.*]
                topic: logs

            sinks:
              log-archive:
                connector: file
                topics: [logs]
                path: archive/${topic}-${partition}.log
                rotate.size: 256MiB

            """
    )

    private static let sqliteToFiles = PipelineTemplate(
        name: "sqlite-to-files",
        summary: "tables of a SQLite database into JSON Lines files",
        text: """
            # Reads tables of a SQLite database through topics into JSON Lines files.
            pipeline: sqlite-to-files

            sources:
              tables:
                connector: sqlite
                path: app.db
                # Everything once. `mode: incrementing` reads only rows that are new since last time.
                mode: bulk
                table.include.list: [customers, orders]
                # The topics are app.customers and app.orders.
                topic.prefix: app.

            sinks:
              files:
                connector: json
                topics: [app.customers, app.orders]
                path: out/${topic}.jsonl

            """
    )
}
