internal import ConnectorSDK

/// The patterns that are known by name.
///
/// The names are those that users of Grok know. What they stand for was written from what the
/// formats themselves say: RFC 3986 for addresses, RFC 3164 and 5424 for system logs, ISO 8601 for
/// times, Apache's and nginx's documentation for access logs.
internal enum GrokDefinitions {
    /// All patterns.
    static let all: [String: String] = {
        var all = words
        all.merge(numbers) { $1 }
        all.merge(addresses) { $1 }
        all.merge(times) { $1 }
        all.merge(logs) { $1 }
        return all
    }()

    /// The name that was meant, perhaps.
    static func nearest(to name: String, _ own: some Sequence<String>) -> String? {
        Spelling.nearest(to: name, in: Array(own) + all.keys.sorted())
    }

    private static let words = [
        "WORD": #"\b\w+\b"#,
        "NOTSPACE": #"\S+"#,
        "SPACE": #"\s*"#,
        "DATA": #".*?"#,
        "GREEDYDATA": #".*"#,
        "QUOTEDSTRING": #""(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'"#,
        "QS": "%{QUOTEDSTRING}",
        "USERNAME": #"[A-Za-z0-9._-]+"#,
        "USER": "%{USERNAME}",
        "EMAILLOCALPART": #"%{EMAILATOM}(?:\.%{EMAILATOM})*"#,
        "EMAILATOM": #"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"#,
        "EMAILADDRESS": "%{EMAILLOCALPART}@%{HOSTNAME}",
        "UUID": #"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"#,
        "PATH": "(?:%{UNIXPATH}|%{WINPATH})",
        "UNIXPATH": #"(?:/[^\s/:*?"<>|]*)+"#,
        "WINPATH": #"(?:[A-Za-z]:|\\)(?:\\[^\\/:*?"<>|\r\n]*)+"#,
        "TTY": #"/dev/(?:pts/\d+|tty\w*|console)"#,
        "JAVACLASS": #"(?:[A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*"#,
        "JAVAFILE": #"[\w$.-]+"#,
        "JAVAMETHOD": #"(?:<init>|<clinit>|[A-Za-z_$][\w$]*)"#,
    ]

    private static let numbers = [
        "INT": #"[+-]?\d+"#,
        "BASE10NUM": #"(?<![\d.])[+-]?(?:\d+(?:\.\d+)?|\.\d+)\b"#,
        "NUMBER": "%{BASE10NUM}",
        "BASE16NUM": #"(?<![0-9A-Fa-f])[+-]?(?:0[xX])?[0-9A-Fa-f]+\b"#,
        "BASE16FLOAT": #"[+-]?(?:0[xX])?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)\b"#,
        "POSINT": #"\b[1-9]\d*\b"#,
        "NONNEGINT": #"\b\d+\b"#,
    ]

    private static let addresses = [
        "MAC": "(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})",
        "CISCOMAC": #"(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}"#,
        "WINDOWSMAC": #"(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}"#,
        "COMMONMAC": #"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}"#,
        "IPV4": #"(?<![\d.])(?:%{IPV4BYTE}\.){3}%{IPV4BYTE}(?!\d)"#,
        "IPV4BYTE": #"(?:25[0-5]|2[0-4]\d|1?\d?\d)"#,
        // Eight groups, or fewer around one `::`; the last two may be an address of IPv4.
        "IPV6": #"""
        (?<![\w:])(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\#
        |(?:[0-9A-Fa-f]{1,4}:){6}\d{1,3}(?:\.\d{1,3}){3}\#
        |(?=(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f.]*(?![\w:]))\#
        (?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4})*+)?::(?:(?:[0-9A-Fa-f]{1,4}:)*\#
        (?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{1,4}))?)(?:%\w+)?(?![\w:])
        """#,
        "IP": "(?:%{IPV6}|%{IPV4})",
        "HOSTNAME": #"\b%{HOSTLABEL}(?:\.%{HOSTLABEL})*\.?(?!\w)"#,
        "HOSTLABEL": #"[0-9A-Za-z](?:[0-9A-Za-z_-]{0,62}(?<!-))?"#,
        "IPORHOST": "(?:%{IP}|%{HOSTNAME})",
        "HOSTPORT": "%{IPORHOST}:%{POSINT}",
        "URIPROTO": #"[A-Za-z][A-Za-z0-9+.-]*"#,
        "URIHOST": #"(?:\[%{IPV6}\]|%{IPORHOST})(?::\d+)?"#,
        "URIPATH": #"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%|\[\]{}-]*)+"#,
        "URIQUERY": #"[^\s?#"<>]*"#,
        "URIPARAM": #"\?[^\s#"<>]*"#,
        "URIPATHPARAM": "%{URIPATH}(?:%{URIPARAM})?",
        "URI": #"%{URIPROTO}://(?:[^\s/@"]*@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?(?:[#]\S*)?"#,
    ]

    private static let times = [
        "MONTH": #"""
        \b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?\#
        |Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b
        """#,
        "MONTHNUM": #"(?:1[0-2]|0?[1-9])"#,
        "MONTHNUM2": #"(?:1[0-2]|0[1-9])"#,
        "MONTHDAY": #"(?:3[01]|[12]\d|0?[1-9])"#,
        "DAY": #"""
        \b(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?\#
        |Sat(?:urday)?|Sun(?:day)?)\b
        """#,
        "YEAR": #"(?:\d{4}|\d{2})"#,
        "HOUR": #"(?:2[0-3]|[01]?\d)"#,
        "MINUTE": #"[0-5]\d"#,
        "SECOND": #"(?:60|[0-5]?\d)(?:[:.,]\d+)?"#,
        "TIME": #"(?<!\d)%{HOUR}:%{MINUTE}(?::%{SECOND})?(?!\d)"#,
        "DATE_US": "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}",
        "DATE_EU": "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}",
        "DATE": "(?:%{DATE_US}|%{DATE_EU})",
        "DATESTAMP": "%{DATE}[- ]%{TIME}",
        "TZ": #"[A-Z]{1,5}"#,
        "ISO8601_TIMEZONE": #"(?:Z|[+-]%{HOUR}(?::?%{MINUTE})?)"#,
        "ISO8601_SECOND": #"(?:60|[0-5]?\d)(?:[.,]\d+)?"#,
        "TIMESTAMP_ISO8601": #"""
        %{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{ISO8601_SECOND})?\#
        %{ISO8601_TIMEZONE}?
        """#,
        "DATESTAMP_RFC822": "%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}",
        "DATESTAMP_RFC2822": #"%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}"#,
        "DATESTAMP_OTHER": "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}",
        "HTTPDATE": #"%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} [+-]\d{4}"#,
        "SYSLOGTIMESTAMP": "%{MONTH} +%{MONTHDAY} %{TIME}",
    ]

    private static let logs = [
        "LOGLEVEL": #"""
        (?i:\b(?:trace|debug|notice|info(?:rmation)?|warn(?:ing)?|err(?:or)?|crit(?:ical)?\#
        |fatal|severe|alert|emerg(?:ency)?|panic)\b)
        """#,
        "PROG": #"[\x21-\x5a\x5c\x5e-\x7e]+"#,
        "SYSLOGPROG": #"%{PROG:program}(?:\[%{POSINT:pid}\])?"#,
        "SYSLOGHOST": "%{IPORHOST}",
        "SYSLOGFACILITY": "<%{NONNEGINT:facility}[.]%{NONNEGINT:priority}>",
        "SYSLOGBASE": """
        %{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} \
        %{SYSLOGPROG}:
        """,
        "SYSLOGLINE": "%{SYSLOGBASE} %{GREEDYDATA:message}",
        "HTTPDUSER": "(?:%{EMAILADDRESS}|%{USER})",
        "HTTPD_COMMONLOG": #"""
        %{IPORHOST:clientip} %{HTTPDUSER:ident} %{HTTPDUSER:auth} \[%{HTTPDATE:timestamp}\] \#
        "(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?\#
        |%{DATA:rawrequest})" (?:-|%{NUMBER:response}) (?:-|%{NUMBER:bytes})
        """#,
        "HTTPD_COMBINEDLOG": "%{HTTPD_COMMONLOG} %{QS:referrer} %{QS:agent}",
        "COMMONAPACHELOG": "%{HTTPD_COMMONLOG}",
        "COMBINEDAPACHELOG": "%{HTTPD_COMBINEDLOG}",
    ]
}
