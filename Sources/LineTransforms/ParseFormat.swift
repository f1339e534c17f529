internal import ConnectorSDK
internal import RegularExpressions
internal import SyslogMessages
internal import TextParsing

/// The formats of lines that `Parse` knows, and the keys that belong to some of them.
internal enum ParseFormat: String, CaseIterable, Sendable {
    case json, csv, keyValue = "key_value", logfmt, regex, grok, combined, common, syslog

    static let key = ConfigKey<ParseFormat>.choice(
        "format",
        default: nil,
        importance: .high,
        help: """
            What a line looks like. `combined` and `common` are the access logs of Apache and \
            nginx: `host`, `identity`, `user`, `timestamp`, `method`, `path`, `protocol`, `status`, \
            `size`, and in `combined` `referrer`, `agent` and, if it is there, `forwarded_for`; a \
            request that is none is kept whole in `request`. `syslog` is RFC 5424 or RFC 3164, told \
            apart by themselves, with or without a priority: `timestamp`, `facility`, `severity`, \
            `hostname`, `appname`, `procid`, `msgid`, `structured_data`, `message`. `logfmt` and \
            `key_value` are keys and values, `json` is one object, `csv` one row. `regex` takes the \
            named groups of `pattern`, `grok` its named parts.
            """,
        dependents: [
            "pattern", "pattern.definitions", "columns", "delimiter", "quote", "pair.delimiter",
            "value.delimiter",
        ]
    )
    private static let patternKey = ConfigKey<String?>.optional(
        "pattern",
        importance: .high,
        help: """
            `regex`: a regular expression as Perl and Java have it, such as \
            `^(?<level>\\w+) (?<text>.*)$`. `grok`: a pattern such as \
            `%{IPORHOST:client} %{NUMBER:seconds:float} %{GREEDYDATA:text}`, with the names that \
            Grok's users know. It may match anywhere in the line unless it has `^` and `$`.
            """
    )
    private static let definitionsKey = ConfigMapKey(
        "pattern.definitions",
        help: """
            Patterns of your own by name, for `grok`: `pattern.definitions.ORDER: 'O-\\d+'` makes \
            `%{ORDER:order}` known. They come before the built-in ones of the same name.
            """
    )
    private static let columnsKey = ConfigKey.list(
        "columns",
        importance: .high,
        help: "The names of the columns, for `csv`; each line must have as many cells."
    )
    private static let delimiterKey = byteKey("delimiter", ",", "stands between cells, for `csv`")
    private static let quoteKey = byteKey("quote", "\"", "encloses cells, for `csv`")
    private static let pairKey = ConfigKey.string(
        "pair.delimiter",
        default: " ",
        help: """
            What stands between a value and the next key, for `key_value`. A blank stands for any \
            number of blanks and tabs.
            """,
        validator: { $0.isEmpty ? "must not be empty" : nil }
    )
    private static let valueKey = ConfigKey.string(
        "value.delimiter",
        default: "=",
        help: "What stands between a key and its value, for `key_value`.",
        validator: { $0.isEmpty ? "must not be empty" : nil }
    )

    private static func byteKey(
        _ name: String,
        _ fallback: String,
        _ help: String
    ) -> ConfigKey<String> {
        .string(name, default: fallback, help: "The ASCII character that \(help); `\\t` is a tab.")
        {
            byte($0) == nil ? "must be one ASCII character" : nil
        }
    }

    /// The keys that belong to some formats.
    static let configuration = ConfigSpec()
        .with(patternKey).with(definitionsKey).with(columnsKey).with(delimiterKey).with(quoteKey)
        .with(pairKey).with(valueKey)

    /// Makes the parser that a configuration asks for, and the types that its pattern names.
    static func parser(
        _ configuration: Configuration,
        zone: SyslogZone
    ) throws(ConnectorError) -> (parser: any LineParser, types: [String: String]) {
        switch try configuration.get(key) {
        case .json: return (JSONLineParser(), [:])
        case .logfmt: return (KeyValueParser(), [:])
        case .combined: return (AccessLogParser(.combined), [:])
        case .common: return (AccessLogParser(.common), [:])
        case .syslog: return (SyslogLineParser(zone: zone), [:])
        case .keyValue:
            let pairs = try configuration.get(pairKey), values = try configuration.get(valueKey)
            guard pairs != values else {
                throw .invalid("value.delimiter", "It must not be the same as pair.delimiter.")
            }
            return (KeyValueParser(pairDelimiter: pairs, valueDelimiter: values), [:])
        case .csv: return (try delimited(configuration), [:])
        case .regex: return (try regex(configuration), [:])
        case .grok: return try grok(configuration)
        }
    }

    private static func delimited(
        _ configuration: Configuration
    ) throws(ConnectorError) -> any LineParser {
        let columns = try configuration.get(columnsKey)
        guard !columns.isEmpty else {
            throw .invalid("columns", "The format csv needs the names of the columns.")
        }
        guard Set(columns).count == columns.count, !columns.contains("") else {
            throw .invalid("columns", "The names must not be empty and must differ.")
        }
        let delimiter = byte(try configuration.get(delimiterKey)) ?? 0x2C
        let quote = byte(try configuration.get(quoteKey)) ?? 0x22
        guard delimiter != quote else {
            throw .invalid("quote", "It must not be the same as delimiter.")
        }
        return DelimitedParser(columns: columns, delimiter: delimiter, quote: quote)
    }

    private static func pattern(_ configuration: Configuration) throws(ConnectorError) -> String {
        guard let pattern = try configuration.get(patternKey), !pattern.isEmpty else {
            throw .invalid("pattern", "The formats regex and grok need a pattern.")
        }
        return pattern
    }

    private static func regex(_ configuration: Configuration) throws(ConnectorError)
        -> any LineParser
    {
        let text = try pattern(configuration)
        let expression: RegularExpression
        do throws(PatternError) {
            expression = try RegularExpression(text, matching: .anywhere)
        } catch {
            throw .invalid("pattern", "The value is no regular expression: \(error.description).")
        }
        guard !expression.namedGroups.isEmpty else {
            throw .invalid(
                "pattern",
                "The expression has no named group.",
                hint: "Write (?<name>…) for each part that is to become a field."
            )
        }
        return PatternLineParser(expression)
    }

    private static func grok(
        _ configuration: Configuration
    ) throws(ConnectorError) -> (parser: any LineParser, types: [String: String]) {
        let text = try pattern(configuration)
        let pattern: GrokPattern
        do throws(GrokError) {
            pattern = try GrokPattern(text, definitions: configuration.get(definitionsKey))
        } catch {
            throw .invalid("pattern", "The value is no pattern: \(error.description).")
        }
        guard !pattern.fields.isEmpty else {
            throw .invalid(
                "pattern",
                "The pattern names no field.",
                hint: "Write %{NAME:field} for each part that is to become a field."
            )
        }
        return (PatternLineParser(pattern.expression, fields: pattern.fields), pattern.types)
    }

    private static func byte(_ text: String) -> UInt8? {
        let text = text == "\\t" ? "\t" : text
        guard let byte = text.utf8.first, text.utf8.count == 1, byte < 0x80 else { return nil }
        return byte
    }
}
