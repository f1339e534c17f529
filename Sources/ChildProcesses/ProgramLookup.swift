internal import Glibc

/// Finds out whether a program can be started, as the system would look for it, and starts nothing.
struct ProgramLookup {
    /// Why a program cannot be started, and what to do about it.
    struct Problem: Error {
        var message: String
        var hint: String?
    }

    // As much as Linux reads of a script's first line.
    private static let firstLine = 256

    /// Where the program starts; `nil` for where this process is.
    var directory: String?
    /// The directories to look in, with colons between.
    var searchPath: String

    /// The path of the program that a command of this name starts.
    func find(_ name: String) throws(Problem) -> String {
        let path = name.contains("/") ? absolute(name) : try search(name)
        try check(path, written: name)
        return path
    }

    private func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let directory else { return path }
        return "\(directory)/\(path)"
    }

    private func search(_ name: String) throws(Problem) -> String {
        var refused: String?
        for part in searchPath.split(separator: ":", omittingEmptySubsequences: false) {
            let path = absolute(part.isEmpty ? "./\(name)" : "\(part)/\(name)")
            guard Self.isFile(path) else { continue }
            if access(path, X_OK) == 0 { return path }
            refused = refused ?? path
        }
        if let refused { return refused }
        let own = absolute("./\(name)")
        throw Problem(
            message: "There is no program `\(name)` in any directory of PATH.",
            hint: Self.isFile(own)
                ? "Write `./\(name)` to start the one in the working directory."
                : "Install it, or write its path."
        )
    }

    private func check(_ path: String, written name: String) throws(Problem) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let reason = String(cString: strerror(errno))
            throw Problem(
                message: "The program `\(path)` cannot be used: \(reason).",
                hint: name.hasPrefix("/") ? nil : "It is looked for from `working.directory`."
            )
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Problem(message: "`\(path)` is no program, but a directory or a device.")
        }
        guard access(path, X_OK) == 0 else {
            throw Problem(
                message: "The file `\(path)` is not executable.",
                hint: "Run `chmod +x \(path)`, or name the program that is to read it first."
            )
        }
        try checkInterpreter(of: path)
    }

    /// A script is started by the program that its first line names.
    private func checkInterpreter(of path: String) throws(Problem) {
        guard let line = Self.start(of: path), line.hasPrefix("#!") else { return }
        guard !line.hasSuffix("\r") else {
            throw Problem(
                message: "The first line of the script `\(path)` ends as on Windows.",
                hint: "Run `sed -i 's/\\r$//' \(path)`."
            )
        }
        let words = line.dropFirst(2).split(separator: " ").map(String.init)
        guard let interpreter = words.first else { return }
        guard access(absolute(interpreter), X_OK) == 0 else {
            throw Problem(
                message: "The script `\(path)` needs `\(interpreter)`, which cannot be started.",
                hint: "Install that; a Python environment that was moved must be made anew."
            )
        }
        guard interpreter.hasSuffix("/env"), words.count == 2, !words[1].contains("=") else {
            return
        }
        do throws(Problem) {
            _ = try search(words[1])
        } catch {
            throw Problem(
                message: "The script `\(path)` needs `\(words[1])`, which is not in PATH.",
                hint: "Install that, or write the program that is to read the script first."
            )
        }
    }

    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// The first line of a file, without its end; `nil` when it cannot be read.
    private static func start(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var room = [UInt8](repeating: 0, count: firstLine)
        let count = read(file, &room, room.count)
        guard count > 0 else { return nil }
        return String(decoding: room[..<count].prefix { $0 != 0x0a }, as: UTF8.self)
    }
}
