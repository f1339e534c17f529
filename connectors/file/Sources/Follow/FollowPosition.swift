internal import ConnectorSDK
internal import FileSystem
internal import JSONDocuments

/// A file by its number, whatever its name and content: what a rename keeps.
struct FileNode: Hashable, Sendable {
    var inode: UInt64
    /// When it was made, which tells it from a later file of the same number.
    var created: Int64?
    /// The file system, where the time is not kept.
    var device: UInt64?

    init(_ information: FileInformation) {
        inode = information.inode
        created = information.created
        device = information.created == nil ? information.device : nil
    }

    init(inode: UInt64, created: Int64? = nil, device: UInt64? = nil) {
        self.inode = inode
        self.created = created
        self.device = device
    }
}

/// How far a content was read, and how to find it again: the offset of a ``SourcePosition``.
///
/// It reads what ``FilePosition`` wrote, so a source may begin to follow the files that it has read
/// once until then.
struct FollowPosition: Hashable, Sendable {
    /// The path it had last.
    var path: String
    /// The file it is in; `nil` when it is in none that is known.
    var node: FileNode?
    /// The place behind the last record that was sent; a line of 0 is not known.
    var place: ReaderPosition
    /// The most bytes that were seen of it.
    var size: Int64 = 0
    var start = ContentStart()
    /// The last bytes before the place.
    var end = FileFingerprint(hash: ContentStart().hash, length: 0)
    /// When it was found missing, in milliseconds since the epoch.
    var goneSince: Int64?
    /// The code of the error for which the rest cannot be read.
    var error: String?

    init(path: String, node: FileNode, place: ReaderPosition = ReaderPosition()) {
        self.path = path
        self.node = node
        self.place = place
    }

    /// JSON text.
    var text: String {
        var object = JSONObjectText()
        object.add("path", path)
        object.add("byte", place.byte)
        object.add("line", place.line)
        object.add("record", place.record)
        object.add("size", size)
        object.add("done", false)
        object.add("start", start.state)
        object.add(
            "end",
            [
                "fingerprint": .string(String(end.hash, radix: 16)),
                "length": .int(Int64(end.length)),
            ]
        )
        if let node {
            object.add("inode", String(node.inode))
            if let created = node.created { object.add("created", created) }
            if let device = node.device { object.add("device", String(device)) }
        } else {
            object.add("inode", "")
        }
        if let goneSince { object.add("gone", goneSince) }
        if let error { object.add("error", error) }
        return object.closed()
    }

    /// Reads a stored position, or what a person wrote: only `byte` must be there.
    init?(partition: String, _ text: String) {
        guard let identity = FileIdentity(partition: partition),
            let value = JSONDocument(parsing: text),
            let byte = value["byte"]?.int, byte >= 0
        else { return nil }
        path = value["path"]?.string ?? ""
        place = ReaderPosition(
            byte: byte,
            line: max(0, value["line"]?.int ?? 0),
            record: max(0, value["record"]?.int ?? 0)
        )
        size = max(byte, value["size"]?.int ?? 0)
        start = value["start"].flatMap { ContentStart($0) } ?? ContentStart()
        if start.length == 0, identity.fingerprint.length > 0,
            let first = ContentStart(identity.fingerprint.state)
        {
            start = first
        }
        end = value["end"].flatMap { FileFingerprint($0) } ?? end
        goneSince = value["gone"]?.int
        error = value["error"]?.string
        let inode = value["inode"]?.string
        if let inode, let number = UInt64(inode) {
            node = FileNode(
                inode: number,
                created: value["created"]?.int,
                device: value["device"]?.string.flatMap { UInt64($0) }
            )
        } else if inode == nil {
            node = FileNode(
                inode: identity.inode,
                created: identity.created,
                device: identity.device
            )
        }
    }
}
