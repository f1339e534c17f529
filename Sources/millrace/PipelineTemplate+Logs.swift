extension PipelineTemplate {
    static let accessLogs = PipelineTemplate(
        name: "access-logs",
        summary: "access logs of nginx or Apache, taken apart, into a SQLite table",
        text: """
            # Takes the access logs of nginx or Apache apart. Lines that do not fit are dead letters:
            # `millrace dlq show requests-rejected` tells the byte and the reason.
            pipeline: access-logs

            topics:
              # Requests have the time that the log tells, so `retention.ms` would drop old ones.
              requests: {partitions: 2, retention.ms: -1, compression.type: zstd}
              requests-rejected: {partitions: 1}

            sources:
              access-log:
                connector: file
                format: lines
                include: [/var/log/nginx/access.log*]
                topic: requests
                transforms:
                  # Other formats: common, syslog, logfmt, json, csv, key_value, regex, grok.
                  - {type: Parse, format: combined, timestamp.field: timestamp}
                  - {type: Filter, condition: '.path != "/healthz"'}
                errors:
                  tolerance: all
                  deadletterqueue.topic.name: requests-rejected

            sinks:
              requests-db:
                connector: sqlite
                topics: [requests]
                path: requests.db
                auto.create: true

            """
    )
}
