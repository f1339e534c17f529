internal import ConnectorSDK
internal import FileSystem
internal import JSONDocuments

/// How far a file has been read: the offset of a ``SourcePosition``.
struct FilePosition: Hashable, Sendable {
    /// The path it had then.
    var path: String
    /// The reader's place.
    var reader = ReaderPosition()
    /// The file's length: that of what was read when done, else as it was when opened.
    var size: Int64 = 0
    /// Whether the file was read to its end, or as far as it can be.
    var isDone = false
    /// The code of the error for which the rest cannot be read.
    var error: String?
    /// What the file began with when it was read to its end.
    var start: FileFingerprint?

    /// JSON text.
    var text: String {
        // Written for every batch, so not by way of a `JSONDocument`.
        var object = JSONObjectText()
        object.add("path", path)
        object.add("byte", reader.byte)
        object.add("line", reader.line)
        object.add("record", reader.record)
        if let state = reader.state { object.add("state", state) }
        object.add("size", size)
        object.add("done", isDone)
        if let start { object.add("start", start.state) }
        if let error { object.add("error", error) }
        return object.closed()
    }

    init(path: String) { self.path = path }

    /// Reads ``text``, or what a person wrote: only `byte` must be there.
    init?(_ text: String) {
        guard let value = JSONDocument(parsing: text), let byte = value["byte"]?.int, byte >= 0
        else {
            return nil
        }
        path = value["path"]?.string ?? ""
        reader = ReaderPosition(
            byte: byte,
            line: max(1, value["line"]?.int ?? 1),
            record: max(0, value["record"]?.int ?? 0),
            state: value["state"]?.string
        )
        size = max(0, value["size"]?.int ?? 0)
        isDone = value["done"]?.bool ?? false
        start = value["start"].flatMap { FileFingerprint($0) }
        error = value["error"]?.string
    }
}

/// The files a source knows, by identity.
struct KnownFiles {
    private var positions: [FileIdentity: FilePosition] = [:]
    private var identities: [UInt64: [FileIdentity]] = [:]
    private var paths: Set<String> = []
    private var partitions: [FileIdentity: String] = [:]

    /// Takes over stored positions.
    mutating func load(_ stored: [String: String]) throws(ConnectorError) {
        for (partition, offset) in stored {
            guard let identity = FileIdentity(partition: partition),
                let position = FilePosition(offset)
            else {
                throw ConnectorError(
                    .init("file.position_invalid"),
                    .failTask,
                    "A stored position is not one of a file: \(partition).",
                    hint: "Reset the connector's offsets."
                )
            }
            note(identity, position)
        }
    }

    /// Remembers how far a file was read.
    mutating func note(_ identity: FileIdentity, _ position: FilePosition) {
        if positions.updateValue(position, forKey: identity) == nil {
            identities[identity.inode, default: []].append(identity)
            partitions[identity] = identity.partition
        }
        paths.insert(position.path)
    }

    /// Forgets a file: if it comes back, it is a new one.
    mutating func forget(_ identity: FileIdentity) {
        guard let position = positions.removeValue(forKey: identity) else { return }
        partitions[identity] = nil
        identities[identity.inode]?.removeAll { $0 == identity }
        if identities[identity.inode]?.isEmpty == true { identities[identity.inode] = nil }
        paths.remove(position.path)
    }

    /// The identities that a file of this inode may have, those of most bytes first.
    func candidates(inode: UInt64) -> [FileIdentity] {
        (identities[inode] ?? []).sorted { $0.fingerprint.length > $1.fingerprint.length }
    }

    /// How far a file was read.
    subscript(identity: FileIdentity) -> FilePosition? { positions[identity] }

    /// The partition of a file's positions, which is made once.
    func partition(of identity: FileIdentity) -> String {
        partitions[identity] ?? identity.partition
    }

    /// All that is known.
    var all: [FileIdentity: FilePosition] { positions }

    /// Whether a file was ever read under this path.
    func hasSeen(_ path: String) -> Bool { paths.contains(path) }
}
