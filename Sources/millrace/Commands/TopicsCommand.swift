import ArgumentParser

/// The command `millrace topics`.
struct TopicsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topics",
        abstract: "List, create, read, write and copy topics.",
        discussion: "Reading works while a worker runs on the same data directory.",
        subcommands: [
            List.self, Describe.self, Create.self, Alter.self, Delete.self, Read.self, Write.self,
            Copy.self,
        ],
        defaultSubcommand: List.self
    )
}
