internal import ConnectorSDK
internal import Topics

/// The segments that lie in a partition's directory.
internal struct SegmentFiles {
    /// Base offsets, rising.
    internal var baseOffsets: [Int64]
    /// Files that compaction left when it was interrupted before its result counted.
    internal var temporary: [String]
    /// Compacted segments whose taking of the old one's place was interrupted.
    internal var swaps: [String]
    /// Names that mean nothing to the store.
    internal var unknown: [String]

    /// The endings of files that are not finished.
    private static let temporaryEndings = [".cleaned", ".tmp"]
    /// Files that Kafka keeps beside segments, and copies that fsck has put aside.
    private static let toleratedEndings = [
        ".corrupt", ".snapshot", ".txnindex", "leader-epoch-checkpoint", "partition.metadata",
    ]

    internal init(_ directory: String) throws(FileFailure) {
        baseOffsets = []
        temporary = []
        swaps = []
        unknown = []
        for name in try Directory.list(directory) {
            if let baseOffset = SegmentName.baseOffset(name, ending: ".log") {
                baseOffsets.append(baseOffset)
            } else if SegmentName.baseOffset(name, ending: ".log.swap") != nil {
                swaps.append(name)
            } else if Self.temporaryEndings.contains(where: name.hasSuffix) {
                temporary.append(name)
            } else if !Self.isTolerated(name) {
                unknown.append(name)
            }
        }
        baseOffsets.sort()
    }

    private static func isTolerated(_ name: String) -> Bool {
        let isIndex = SegmentName.endings.contains {
            SegmentName.baseOffset(name, ending: $0) != nil
                || SegmentName.baseOffset(name, ending: $0 + ".swap") != nil
        }
        return isIndex || toleratedEndings.contains(where: name.hasSuffix)
    }

    /// Removes the three files of a segment.
    internal static func remove(_ segment: Segment) throws(FileFailure) {
        for path in [segment.indexPath, segment.timeIndexPath, segment.logPath] {
            try Directory.removeFile(path)
        }
    }
}
