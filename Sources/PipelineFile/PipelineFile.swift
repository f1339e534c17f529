import Glibc
public import PipelineEngine

/// One pipeline file, read: what it defines, and where everything stands in it.
public struct PipelineFile: Sendable {
    /// The largest file that is read: people write them, so a megabyte is already a mistake.
    private static let sizeLimit = 4 << 20

    /// What the file defines; incomplete when ``findings`` holds errors.
    public var definition: PipelineDefinition
    /// Where keys and values stand.
    public var sourceMap: SourceMap
    /// What the file holds; empty when it cannot be read.
    public var text = ""
    /// What is wrong with the file by itself, without knowing any connector.
    public var findings: [Finding]

    /// Reads the file at `path`, which is also how messages call it.
    ///
    /// Never throws: a file that cannot be read is a finding too.
    public init(path: String) {
        let (bytes, problem) = Self.read(path)
        if let problem {
            self.init(unreadable: path, problem)
        } else {
            self.init(bytes: bytes, path: path, baseDirectory: Self.directory(of: path))
        }
    }

    /// Reads a text as if it stood in a file at `path`.
    public init(text: String, path: String, baseDirectory: String = ".") {
        var reader = PipelineReader(file: path, baseDirectory: baseDirectory)
        reader.read(text)
        self.text = text
        definition = reader.definition
        sourceMap = reader.sourceMap
        findings = reader.findings
    }

    private init(bytes: [UInt8], path: String, baseDirectory: String) {
        let content = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        guard let text = String(validating: content, as: UTF8.self) else {
            self.init(unreadable: path, "is not UTF-8 text; save it as UTF-8")
            return
        }
        self.init(text: text, path: path, baseDirectory: baseDirectory)
    }

    private init(unreadable path: String, _ problem: String) {
        definition = PipelineDefinition(name: "", file: path)
        sourceMap = SourceMap(file: path)
        findings = [Finding(file: path, mark: nil, message: problem)]
    }

    private static func read(_ path: String) -> ([UInt8], problem: String?) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return ([], "cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            return ([], "is a directory; name the files in it")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                return ([], "cannot be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { return (bytes, nil) }
            bytes += buffer[..<count]
            guard bytes.count <= sizeLimit else {
                return ([], "is larger than 4 MiB, which no pipeline file is")
            }
        }
    }

    /// The file's directory as an absolute path: positions that name files must mean the same
    /// files when the next run starts somewhere else.
    private static func directory(of path: String) -> String {
        let folder = path.lastIndex(of: "/").map { path[..<$0].isEmpty ? "/" : String(path[..<$0]) }
        guard let resolved = realpath(folder ?? ".", nil) else { return folder ?? "." }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
