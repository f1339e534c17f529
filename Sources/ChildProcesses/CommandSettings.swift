public import ConnectorSDK

/// The keys by which connectors are told what to start, and how to end it.
public struct CommandSettings: Sendable {
    /// The program and its arguments.
    public static let command = ConfigKey.required(
        "command",
        help: """
            The program and its arguments, as a list. No shell comes between: wildcards, variables \
            and pipes mean nothing. A program without a slash is looked up in `PATH`. With `shell` \
            it is one text, which `/bin/sh` carries out.
            """
    )
    /// Further arguments.
    public static let arguments = ConfigKey.string(
        "arguments",
        default: "",
        help: """
            Further arguments in one text, split at spaces: for those that a list cannot hold, \
            such as one with a comma. Quotes and backslashes keep a part together, as in a shell.
            """
    )
    /// Whether the command is a line for the shell.
    public static let shell = ConfigKey.bool(
        "shell",
        default: false,
        help: "Whether `command` is a text that `/bin/sh` carries out."
    )
    /// Environment variables.
    public static let environment = ConfigMapKey(
        "environment",
        help: """
            Environment variables of the program besides those of Millrace itself, such as \
            `environment.TOKEN: ${env:TOKEN}`.
            """
    )
    /// Where the program starts.
    public static let directory = ConfigKey<String?>.optional(
        "working.directory",
        help: "Where the program starts; by default in the pipeline file's directory."
    )
    /// How long the program may take to end.
    public static let grace = ConfigKey.duration(
        "stop.grace.ms",
        default: .seconds(5),
        in: .zero ... .seconds(600),
        importance: .low,
        help: """
            How long the program, and what it has started, may take to end after SIGTERM before \
            SIGKILL ends it.
            """
    )

    /// The keys.
    public static let spec = ConfigSpec()
        .with(command).with(arguments).with(shell).with(environment).with(directory).with(grace)

    /// What to start.
    public var command: ChildCommand
    /// Whether `command` has the shell carry out a line.
    let isShell: Bool
    /// How long the program may take to end.
    public var grace: Duration

    /// Reads the keys.
    public init(_ configuration: Configuration) throws(ConnectorError) {
        let text = try configuration.get(Self.command)
        let further = try Self.words(try configuration.get(Self.arguments))
        let variables = configuration.get(Self.environment)
        let directory =
            try configuration.get(Self.directory)
            .map { configuration.path($0) } ?? configuration.baseDirectory
        grace = try configuration.get(Self.grace)
        isShell = try configuration.get(Self.shell)
        if isShell {
            guard further.isEmpty else {
                throw .invalid(
                    "arguments",
                    "With `shell`, `command` is the whole line.",
                    hint: "Write the arguments there."
                )
            }
            command = .shell(text, environment: variables, directory: directory)
            return
        }
        let words = ListText.items(of: text)
        guard let program = words.first else {
            throw .invalid("command", "There is no program in it.")
        }
        let first = program.prefix { $0 != " " }
        guard words.count > 1 || first == program || first.contains("/") else {
            throw .invalid(
                "command",
                "A program and its arguments are a list.",
                hint: "Write [\(program.replacing(" ", with: ", "))], or set `shell: true`."
            )
        }
        command = ChildCommand(words + further, environment: variables, directory: directory)
    }

    /// Splits a text into words as a shell does, and expands nothing.
    static func words(_ text: String) throws(ConnectorError) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open {
                    quote = nil
                } else {
                    word = (word ?? "") + String(character)
                }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil, !isEscaped else {
            throw .invalid("arguments", "A quote is not closed, or a backslash stands at the end.")
        }
        return words + [word].compactMap(\.self)
    }
}
