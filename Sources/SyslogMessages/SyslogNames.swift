/// The usual words for what a priority's number says.
public enum SyslogNames {
    /// The severities, from 0.
    public static let severities = [
        "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
    ]

    /// The facilities, from 0.
    public static let facilities = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
        "authpriv", "ftp", "ntp", "security", "console", "solaris-cron", "local0", "local1",
        "local2", "local3", "local4", "local5", "local6", "local7",
    ]
}
