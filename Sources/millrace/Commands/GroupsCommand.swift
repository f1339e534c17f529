import ArgumentParser
import ConnectorSDK
import JSONDocuments
import PipelineEngine
import Topics

/// The command `millrace groups`.
struct GroupsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups",
        abstract: "List, describe, reset and delete consumer groups.",
        discussion: """
            A group is who reads topics: for each partition it has the offset to be read next. A \
            sink NAME reads as the group connect-NAME; on a cluster there are also the groups of \
            other programs.
            """,
        subcommands: [List.self, Describe.self, Reset.self, Delete.self],
        defaultSubcommand: List.self
    )

    /// The command `millrace groups list`.
    struct List: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List groups, and how many records each has still to read."
        )

        @OptionGroup var shared: SharedOptions

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .reading)
            defer { store.close() }
            let groups = try store.readingGroups().map { try GroupReport($0, in: store) }
            if shared.json {
                try StandardOutput.print(["groups": .array(groups.map(\.summary))])
                return .done
            }
            var table = TextTable([
                ("group", .left), ("topics", .left), ("partitions", .right), ("lag", .right),
            ])
            for group in groups {
                table.append([
                    group.name, group.topics.joined(separator: ", "), String(group.places.count),
                    Quantity.count(group.lag),
                ])
            }
            try table.print()
            return .done
        }
    }

    /// The command `millrace groups describe`.
    struct Describe: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe",
            abstract: "Show a group's offsets and, on a cluster, its members."
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The group.")
        var group: String

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .reading)
            defer { store.close() }
            try store.requireGroup(group)
            let report = try GroupReport(group, in: store)
            let membership = try store.membership(of: group)
            if shared.json {
                try StandardOutput.print(report.document(membership))
            } else {
                try report.table.print()
                try membership?.print()
            }
            return .done
        }
    }

    /// The command `millrace groups delete`.
    struct Delete: MillraceCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Forget a group and its offsets.",
            discussion: """
                A sink whose group is deleted starts over, unless it keeps offsets in its target, \
                as sqlite and postgres do: those it goes on from. On a cluster a group that has \
                members cannot be deleted.
                """
        )

        @OptionGroup var shared: SharedOptions

        @Argument(help: "The group.")
        var group: String

        mutating func execute() async throws -> ExitStatus {
            let store = try TopicPlace.open(shared, for: .writing)
            defer { store.close() }
            try store.requireGroup(group)
            try store.deleteGroup(group)
            if shared.json {
                try StandardOutput.print(["group": .string(group), "result": "deleted"])
            } else {
                try StandardOutput.printLine("\(group): deleted")
            }
            return .done
        }
    }
}

extension TopicStore {
    /// The groups that read something, by name.
    func readingGroups() throws -> [String] {
        try groups().filter { !OffsetReset.isNote(group: $0) }.sorted()
    }

    /// Throws a failure that suggests another name when there is no such group.
    func requireGroup(_ name: String) throws {
        let all = try readingGroups()
        guard !all.contains(name) else { return }
        let near = Spelling.nearest(to: name, in: all)
        throw Failure(
            .configuration,
            code: "groups.unknown",
            "There is no group `\(name)`.",
            hint: near.map { "Did you mean `\($0)`?" } ?? "`millrace groups list` shows them all."
        )
    }
}
