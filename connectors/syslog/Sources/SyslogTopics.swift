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
        return rest.contains("${") ? "knows only ${field:severity} and ${field:facility}" : nil
    }
}
