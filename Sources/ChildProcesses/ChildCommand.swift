internal import Glibc

/// What to start: a program with its arguments, never a line for a shell.
public struct ChildCommand: Sendable {
    /// The program, looked up in `PATH` unless it has a slash, and its arguments.
    public var arguments: [String]
    /// All its environment variables.
    public var environment: [String: String]
    /// Where it starts; `nil` for where this process is.
    public var directory: String?

    /// Makes a command that has this process's environment, with some variables changed.
    public init(
        _ arguments: [String],
        environment changes: [String: String] = [:],
        directory: String? = nil
    ) {
        self.arguments = arguments
        self.directory = directory
        environment = Self.inherited.merging(changes) { $1 }
    }

    /// The command that has the shell carry out `line`.
    public static func shell(
        _ line: String,
        environment changes: [String: String] = [:],
        directory: String? = nil
    ) -> Self {
        Self(["/bin/sh", "-c", line], environment: changes, directory: directory)
    }

    /// The environment variables of this process.
    private static var inherited: [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let sign = text.firstIndex(of: "=") {
                variables[String(text[..<sign])] = String(text[text.index(after: sign)...])
            }
            next = next.advanced(by: 1)
        }
        return variables
    }
}

/// How a program ended.
public enum ChildEnding: Hashable, Sendable, CustomStringConvertible {
    /// By itself, with this exit code.
    case exited(Int32)
    /// By a signal of this number.
    case signalled(Int32)

    /// To be read after "it".
    public var description: String {
        switch self {
        case .exited(let code): "ended with exit code \(code)"
        case .signalled(let number): "was ended by signal \(number)"
        }
    }
}
