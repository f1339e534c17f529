internal import Compression
internal import ConnectorSDK
internal import FileSystem

/// Chooses the names that files are written under and get.
struct OutputNaming {
    // Numbers of more paths are found again by looking into the directory.
    private static let sequenceLimit = 1_024

    /// What this task's temporary files end with.
    let suffix: String
    let isRotating: Bool
    /// The last number given to the files of a path.
    var sequences: [String: Int64]
    /// Names of files that are complete and not renamed yet.
    var reserved: Set<String> = []

    init(_ context: ConnectorContext, isRotating: Bool) {
        let name = context.name.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" }
        suffix = ".\(String(name))-\(context.taskID).millrace-tmp"
        self.isRotating = isRotating
        sequences = [:]
    }

    /// The temporary path of a file.
    func workPath(for path: String) -> String {
        let name = "." + FileSystem.name(of: path) + suffix
        let directory = FileSystem.directory(of: path)
        return directory == "." && !path.hasPrefix("./") ? name : directory + "/" + name
    }

    /// Whether a path is free for a new file.
    func isFree(_ path: String) throws(ConnectorError) -> Bool {
        if reserved.contains(path) { return false }
        return try reportingToEngine { () throws(FileSystemError) in
            try FileInformation.of(path) == nil
        }
    }

    /// The next free path with a number.
    mutating func numberedPath(_ key: String) throws(ConnectorError) -> String {
        var number = try lastNumber(key)
        while true {
            number += 1
            let path = FileSystem.numbered(key, Self.sixDigits(number))
            guard try isFree(path) else { continue }
            if sequences.count >= Self.sequenceLimit, sequences[key] == nil {
                sequences.removeAll()
            }
            sequences[key] = number
            return path
        }
    }

    private static func sixDigits(_ number: Int64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private func lastNumber(_ key: String) throws(ConnectorError) -> Int64 {
        if let known = sequences[key] { return known }
        let shape = FileSystem.name(of: FileSystem.numbered(key, "\u{0}"))
            .split(separator: "\u{0}", omittingEmptySubsequences: false)
        guard shape.count == 2 else { return 0 }
        let names = try reportingToEngine { () throws(FileSystemError) in
            do throws(FileSystemError) {
                return try FileSystem.names(in: FileSystem.directory(of: key))
            } catch {
                guard error.isNotFound else { throw error }
                return []
            }
        }
        let numbers = names.compactMap { name -> Int64? in
            guard name.hasPrefix(shape[0]), name.hasSuffix(shape[1]),
                name.count > shape[0].count + shape[1].count
            else { return nil }
            return Int64(name.dropFirst(shape[0].count).dropLast(shape[1].count))
        }
        return max(0, numbers.max() ?? 0)
    }
}
