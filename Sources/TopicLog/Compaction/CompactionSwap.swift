internal import ConnectorSDK
internal import Glibc
internal import Topics

/// Replaces segments by their compacted version, so that a crash at any moment is harmless.
///
/// 1. The new segment is written as `<base>.log.cleaned` and synchronized: no effect when
///    interrupted, recovery removes it.
/// 2. It is renamed to `<base>.log.swap`: from now on it counts, and recovery goes on with 3.
/// 3. A second name of it takes the place of `<base>.log`. Readers that have the old file open go
///    on with it; others find the new one at any moment.
/// 4. The other segments that it replaces are removed.
/// 5. The name `<base>.log.swap` is removed.
internal enum CompactionSwap {
    /// Writes the new segment's name down, step 2, and does the rest.
    internal static func replace(
        in directory: String,
        baseOffset: Int64,
        lastOffset: Int64
    ) throws(FileFailure) {
        let path = directory + "/" + SegmentName.stem(baseOffset) + ".log"
        try Directory.rename(path + ".cleaned", to: path + ".swap")
        try Directory.synchronize(directory)
        let offsets = baseOffset...max(baseOffset, lastOffset)
        try finish(path + ".swap", in: directory, replacing: offsets)
    }

    /// Finishes what an earlier process began, steps 3 to 5.
    ///
    /// A new segment keeps its last offset, so a whole one ends where the next segment begins. One
    /// that does not was damaged, and must not take the place of what is there. (D10)
    ///
    /// - Returns: the names of damaged new segments, which were removed.
    internal static func finish(in directory: String) throws(FileFailure) -> [String] {
        var damaged: [String] = []
        for name in try Directory.list(directory) {
            guard let base = SegmentName.baseOffset(name, ending: ".log.swap") else { continue }
            let swap = "\(directory)/\(name)"
            let bases = try SegmentFiles(directory).baseOffsets
            if let last = try lastOffset(of: swap), bases.contains(last &+ 1) {
                try finish(swap, in: directory, replacing: base...max(base, last))
            } else if bases.contains(base) {
                try Directory.removeFile(swap)
                try Directory.synchronize(directory)
                damaged.append(name)
            } else {
                throw FileFailure("read", swap, EIO)
            }
        }
        return damaged
    }

    private static func finish(
        _ swap: String,
        in directory: String,
        replacing offsets: ClosedRange<Int64>
    ) throws(FileFailure) {
        let segment = Segment(directory: directory, baseOffset: offsets.lowerBound)
        // Indexes of the old file must not be believed for the new one.
        try Directory.removeFile(segment.indexPath)
        try Directory.removeFile(segment.timeIndexPath)
        let second = segment.logPath + ".tmp"
        try Directory.removeFile(second)
        guard link(swap, second) == 0 else { throw FileFailure("link", second) }
        try Directory.rename(second, to: segment.logPath)
        try Directory.synchronize(directory)
        for base in try SegmentFiles(directory).baseOffsets
        where base > offsets.lowerBound && base <= offsets.upperBound {
            try SegmentFiles.remove(Segment(directory: directory, baseOffset: base))
        }
        try Directory.removeFile(swap)
        try Directory.synchronize(directory)
    }

    private static func lastOffset(of path: String) throws(FileFailure) -> Int64? {
        let log = try LogFile.open(path)
        let scanner = SegmentScanner(log, from: 0, to: try log.size())
        var last: Int64?
        do throws(ScanFailure) {
            while let batch = try scanner.next() { last = batch.header.lastOffset }
        } catch {
            switch error {
            case .file(let failure): throw failure
            case .damage: return nil
            }
        }
        return last
    }
}
