internal import ConnectorSDK
internal import SyslogMessages

/// The topic of each priority.
///
/// Only severity and facility can be in a topic's name: of those there are 192. Hosts and programs
/// are whatever a sender says, and would make as many topics as it likes. (D7)
enum SyslogTopics {
    private static let severity = "${field:severity}"
    private static let facility = "${field:facility}"

    /// The names for the priorities 0 to 191.
    static func names(_ template: String) -> [String] {
        (0..<192).map { priority in
            template.replacing(severity, with: SyslogNames.severities[priority % 8])
                .replacing(facility, with: SyslogNames.facilities[priority / 8])
        }
    }

    /// What is wrong with a template.
    static func problem(_ template: String) -> String? {
        let rest = template.replacing(severity, with: "").replacing(facility, with: "")
        guard let start = rest.firstRange(of: "${") else { return nil }
        let meant = rest[start.upperBound...].prefix { $0 != "}" }.split(separator: ":").last
        let near = meant.flatMap { Spelling.nearest(to: String($0), in: ["severity", "facility"]) }
        return "knows only ${field:severity} and ${field:facility}"
            + (near.map { "; did you mean `${field:\($0)}`?" } ?? "")
    }
}
