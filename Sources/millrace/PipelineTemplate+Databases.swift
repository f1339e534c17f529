extension PipelineTemplate {
    static let csvToPostgres = PipelineTemplate(
        name: "csv-to-postgres",
        summary: "CSV files from an inbox into a PostgreSQL table, each record once",
        text: """
            # Loads CSV files into a PostgreSQL table. Run it again when new files have come: only
            # those are read. `millrace doctor csv-to-postgres.yaml` tries the server beforehand.
            pipeline: csv-to-postgres

            topics:
              orders: {partitions: 2, retention.ms: 7d}

            sources:
              orders-inbox:
                connector: csv
                include: inbox/*.csv
                topic: orders
                # Records with the same key stay in order.
                key.fields: [id]

            sinks:
              orders-db:
                connector: postgres
                # From the environment, so that no password stands here:
                #   DATABASE_URL=postgres://me:secret@localhost/shop millrace run csv-to-postgres.yaml
                url: ${env:DATABASE_URL}
                topics: [orders]
                # One row per key: a later record replaces the earlier one.
                insert.mode: upsert
                pk.mode: record_key
                # Makes the table, and adds columns when records have new fields.
                auto.create: true
                auto.evolve: add

            """
    )

    static let postgresToFiles = PipelineTemplate(
        name: "postgres",
        summary: "new and changed rows of PostgreSQL tables into JSON Lines files",
        text: """
            # Reads rows of a PostgreSQL table that are new or changed since the last run. No row is
            # missed that commits late; deletions are not seen, `millrace init pg-cdc` sees them.
            pipeline: postgres

            sources:
              shop:
                connector: postgres
                url: ${env:DATABASE_URL}
                table.include.list: [public.orders]
                # `bulk` reads everything once; `incrementing` rows that were added.
                mode: timestamp+incrementing
                timestamp.column.name: updated_at
                incrementing.column.name: id
                # The topic is shop.public.orders.
                topic.prefix: shop.
                # 0 reads what is there and ends, for cron; 5s would look again every five seconds.
                poll.interval.ms: 0

            sinks:
              files:
                connector: json
                topics: [shop.public.orders]
                path: out/${topic}.jsonl

            """
    )

    static let postgresCapture = PipelineTemplate(
        name: "pg-cdc",
        summary: "every change of PostgreSQL tables into a SQLite database, as it is committed",
        text: """
            # Keeps a copy of PostgreSQL tables: what is there at the start, then every insert, update
            # and delete. The server needs `wal_level = logical`, and the user the right to replicate:
            # `millrace doctor pg-cdc.yaml` looks.
            #
            # The slot makes the server keep its log until this has run again. To be rid of it:
            #   millrace offsets reset shop
            #   SELECT pg_drop_replication_slot('millrace_copy'); DROP PUBLICATION millrace_copy;
            pipeline: pg-cdc

            sources:
              shop:
                connector: postgres-cdc
                url: ${env:DATABASE_URL}
                # Regular expressions for whole names; without it every table is captured.
                table.include.list: public\\.(customers|orders)
                # The topics are shop.public.customers and shop.public.orders.
                topic.prefix: shop
                slot.name: millrace_copy
                publication.name: millrace_copy
                # Says where transactions end, for transaction.topic below.
                provide.transaction.metadata: true

            sinks:
              copy:
                connector: sqlite
                path: copy.db
                topics: [shop.public.customers, shop.public.orders]
                # Rows that were changed together change together here, too.
                transaction.topic: shop.transaction
                transforms:
                  # The row after the change, out of Debezium's envelope.
                  - {type: unwrap}
                table.name.format: ${table}
                insert.mode: upsert
                pk.mode: record_key
                delete.enabled: true
                # A new column of the source becomes one here.
                auto.evolve: add

            """
    )

    static let sqliteCapture = PipelineTemplate(
        name: "sqlite-cdc",
        summary: "every change of SQLite tables into JSON Lines files, as it is committed",
        text: """
            # Captures changes of a SQLite database that other programs write. It puts triggers into
            # that database; to take them out again, set `capture.action: remove` and run it once more
            # with --until-end.
            pipeline: sqlite-cdc

            sources:
              app:
                connector: sqlite-cdc
                path: app.db
                # The topics are app.customers and app.orders.
                topic.prefix: app
                table.include.list: [customers, orders]

            sinks:
              changes:
                connector: json
                topics: [app.customers, app.orders]
                # One line for each change: before, after, source and op, as Debezium has them. With
                # `transforms: [{type: unwrap}]` it is the row after the change alone.
                path: out/${topic}.jsonl
                rotate.size: 64MiB

            """
    )
}
