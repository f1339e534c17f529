internal import ConnectorSDK
internal import FileSystem
internal import JSONDocuments

/// What a file sink has committed: the offsets, and the files that belong to exactly them.
///
/// It is replaced as a whole, so a crash leaves the one before or the one after. (D10)
struct SinkCheckpoint: Hashable, Sendable {
    /// A file that is not complete.
    struct File: Hashable, Sendable {
        /// The path as the template gives it.
        var key: String
        /// The path it is written under.
        var workPath: String
        /// The path it gets when it is complete; the same for one that is appended to in place.
        var finalPath: String
        /// How many of its bytes count.
        var length: Int64
        /// How many records they are.
        var records: Int64
        /// What they are written in, as ``FileSink`` describes it.
        var format: String
    }

    /// A file that is complete and gets its name.
    struct Rename: Hashable, Sendable {
        var workPath: String
        var finalPath: String
    }

    /// The next offset to read of a partition.
    struct Offset: Hashable, Sendable {
        var next: Int64
        /// Which opening of the sink has set it.
        ///
        /// A partition may have belonged to another task before, and an operator may have set it
        /// back: the latest one is right.
        var generation: Int64

        func isLater(than other: Self) -> Bool {
            (generation, next) > (other.generation, other.next)
        }
    }

    /// For each partition the next offset to read.
    var offsets: [TopicPartition: Offset] = [:]
    var files: [File] = []
    var renames: [Rename] = []
    /// The last number given to files of a path, so that none is given twice.
    var sequences: [String: Int64] = [:]

    /// Takes over what another checkpoint knows better.
    mutating func merge(_ other: [TopicPartition: Offset]) {
        offsets.merge(other) { $1.isLater(than: $0) ? $1 : $0 }
    }

    /// JSON text.
    var text: String {
        ([
            "version": .int(1),
            "offsets": .array(
                offsets.sorted { $0.key < $1.key }.map { id, offset in
                    .array([
                        .string(id.topic), .int(Int64(id.partition)), .int(offset.next),
                        .int(offset.generation),
                    ])
                }
            ),
            "files": .array(files.map(\.state)),
            "renames": .array(
                renames.map { .array([.string($0.workPath), .string($0.finalPath)]) }
            ),
            "sequences": .object(
                sequences.sorted { $0.key < $1.key }.map { ($0.key, .int($0.value)) }
            ),
        ] as JSONDocument).text
    }

    init() {}

    /// Reads ``text``; `nil` when it is damaged.
    init?(_ text: String) {
        guard let value = JSONDocument(parsing: text), value["version"]?.int == 1,
            let offsets = value["offsets"]?.array, let files = value["files"]?.array,
            let renames = value["renames"]?.array
        else { return nil }
        for item in offsets {
            guard let parts = item.array, parts.count == 4, let topic = parts[0].string,
                let partition = parts[1].int.flatMap({ Int32(exactly: $0) }),
                let next = parts[2].int, let generation = parts[3].int
            else { return nil }
            self.offsets[TopicPartition(topic, partition)] = Offset(
                next: next,
                generation: generation
            )
        }
        for item in files {
            guard let file = File(item) else { return nil }
            self.files.append(file)
        }
        for item in renames {
            guard let parts = item.array, parts.count == 2, let work = parts[0].string,
                let final = parts[1].string
            else { return nil }
            self.renames.append(Rename(workPath: work, finalPath: final))
        }
        guard let sequences = value["sequences"]?.fields else { return nil }
        for (path, number) in sequences { self.sequences[path] = number.int }
    }
}

extension SinkCheckpoint.File {
    var state: JSONDocument {
        [
            "key": .string(key), "work": .string(workPath), "final": .string(finalPath),
            "length": .int(length), "records": .int(records), "format": .string(format),
        ]
    }

    init?(_ state: JSONDocument) {
        guard let key = state["key"]?.string, let work = state["work"]?.string,
            let final = state["final"]?.string, let length = state["length"]?.int,
            let records = state["records"]?.int, let format = state["format"]?.string
        else { return nil }
        self.init(
            key: key,
            workPath: work,
            finalPath: final,
            length: length,
            records: records,
            format: format
        )
    }
}

/// Where the checkpoints of a sink's tasks are kept.
struct CheckpointDirectory {
    private static let prefix = "file-sink-"
    private static let suffix = ".json"
    // Thousands of open files; a larger one is no checkpoint of ours.
    private static let sizeLimit = 64 << 20

    let path: String

    /// The checkpoints there are, by task.
    func load() throws(ConnectorError) -> [Int: SinkCheckpoint] {
        try reportingToEngine { () throws(FileSystemError) in
            try FileSystem.makeDirectories(path)
        }
        var found: [Int: SinkCheckpoint] = [:]
        let names = try reportingToEngine { () throws(FileSystemError) in
            try FileSystem.names(in: path)
        }
        for name in names where name.hasPrefix(Self.prefix) && name.hasSuffix(Self.suffix) {
            guard let task = Int(name.dropFirst(Self.prefix.count).dropLast(Self.suffix.count))
            else { continue }
            let bytes = try reportingToEngine { () throws(FileSystemError) in
                try FileSystem.content(of: file(task), limit: Self.sizeLimit)
            }
            guard let checkpoint = SinkCheckpoint(String(decoding: bytes ?? [], as: UTF8.self))
            else { throw damaged(task) }
            found[task] = checkpoint
        }
        return found
    }

    /// Replaces the checkpoint of a task.
    func save(_ checkpoint: SinkCheckpoint, task: Int) throws(ConnectorError) {
        var text = checkpoint.text
        try reportingToEngine { () throws(FileSystemError) in
            // Typed throws do not pass through `withUTF8`.
            let result: Result<Void, FileSystemError> = text.withUTF8 { bytes in
                do throws(FileSystemError) {
                    try FileSystem.replaceContent(
                        of: file(task),
                        with: UnsafeRawBufferPointer(bytes)
                    )
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            try result.get()
        }
    }

    /// Removes the checkpoint of a task that does not exist any more.
    func remove(task: Int) throws(ConnectorError) {
        try reportingToEngine { () throws(FileSystemError) in try FileSystem.remove(file(task)) }
    }

    private func file(_ task: Int) -> String {
        path + "/" + Self.prefix + String(task) + Self.suffix
    }

    private func damaged(_ task: Int) -> ConnectorError {
        ConnectorError(
            .init("file.checkpoint_damaged"),
            .failTask,
            "The checkpoint \(file(task)) is damaged.",
            kind: .environment,
            hint: "Without it the sink starts from the group's offsets and may repeat records."
        )
    }
}
