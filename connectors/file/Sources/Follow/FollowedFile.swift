internal import ConnectorSDK
internal import FileSystem

/// One content that is followed: its place, and what is open of it.
final class FollowedFile {
    let id: Int
    /// The name of its positions.
    let partition: String
    var position: FollowPosition
    var cutter: LineCutter
    var file: OpenFile?
    /// How it is read when it is compressed.
    var archive: ArchiveReading?
    /// Whether it is compressed and its end is not written yet.
    var isIncomplete = false
    /// Whether the file was compared with the position since it was opened by name.
    var isVerified = false
    /// The content that comes before it, while that has not been read to its end.
    var predecessor: Int?
    /// When its end was reached last and bytes were there that make no record yet, in
    /// milliseconds.
    var waitingSince: Int64?
    /// When it was last seen to grow after it had lost its name, in milliseconds.
    var drainingSince: Int64?
    /// When it was read last, in reads of all files.
    var lastUse = 0
    /// The size it had when a run began that ends there.
    var goal: Int64?

    init(id: Int, partition: String, position: FollowPosition, cutter: LineCutter) {
        self.id = id
        self.partition = partition
        self.position = position
        self.cutter = cutter
    }

    /// What is stored with the records before the place.
    var stored: SourcePosition { SourcePosition(partition: partition, offset: position.text) }

    /// Lets go of the file; what was not complete is read again.
    func close() {
        file = nil
        archive = nil
        isVerified = false
    }
}
