internal import ConnectorSDK
internal import FileSystem
internal import JSONDocuments

extension FileIdentity {
    /// The partition of a ``SourcePosition``.
    var partition: String { partition(generation: 1) }

    /// The partition of a content that came into a file after others that began alike.
    func partition(generation: Int) -> String {
        var object = JSONObjectText()
        object.add("fingerprint", String(fingerprint.hash, radix: 16))
        object.add("length", Int64(fingerprint.length))
        object.add("inode", String(inode))
        if let created { object.add("created", created) }
        if let device { object.add("device", String(device)) }
        if generation > 1 { object.add("generation", Int64(generation)) }
        return object.closed()
    }

    /// Reads a partition; `nil` when it names no file.
    init?(partition: String) {
        guard let value = JSONDocument(parsing: partition),
            let fingerprint = FileFingerprint(value),
            let inode = value["inode"]?.string.flatMap({ UInt64($0) })
        else { return nil }
        self.init(
            fingerprint: fingerprint,
            inode: inode,
            created: value["created"]?.int,
            device: value["device"]?.string.flatMap { UInt64($0) }
        )
    }

    /// Spreads files over tasks; a file that grows or is renamed stays with its task.
    static func task(ofInode inode: UInt64, count: Int) -> Int {
        // Neighbouring inodes differ in the low bits only, so these are mixed first.
        let mixed = (inode &* 0x9e37_79b9_7f4a_7c15) >> 32
        return Int(mixed % UInt64(max(count, 1)))
    }
}

extension FileFingerprint {
    var state: JSONDocument {
        [
            "fingerprint": .string(String(hash, radix: 16)), "length": .int(Int64(length)),
        ]
    }

    /// Reads the members `fingerprint` and `length` of an object.
    init?(_ state: JSONDocument) {
        guard let hash = state["fingerprint"]?.string.flatMap({ UInt64($0, radix: 16) }),
            let length = state["length"]?.int, (0...Int64(Self.limit)).contains(length)
        else { return nil }
        self.init(hash: hash, length: Int(length))
    }
}
