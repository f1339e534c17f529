internal import ConnectorSDK
internal import Glibc
internal import SQLiteClient
internal import Topics

/// Puts a damaged segment aside, and a copy without the damage in its place.
///
/// Lost offsets are covered by batches without records, so that readers go past them and offsets
/// stay what they were. The damaged file is kept beside it as `<base>.log.corrupt`. (D10)
internal struct Quarantine {
    private let directory: String
    private let check: SegmentCheck

    internal init(_ check: SegmentCheck, in directory: String) {
        self.check = check
        self.directory = directory
    }

    /// Replaces the segment, and returns it.
    internal func run() throws(FileFailure) -> Segment {
        let path = check.segment.logPath
        let output = OutputBuffer()
        let file = try LogFile.createEmpty(path + ".cleaned")
        var size: Int64 = 0
        let source = try? LogFile.open(path)
        for part in parts() {
            switch part {
            case .sound(let bytes):
                if let source { try copy(bytes, of: source, to: output) }
            case .lost(let offsets): fill(offsets, in: output)
            }
            try flush(output, to: file, &size, above: 1 << 20)
        }
        try flush(output, to: file, &size, above: 0)
        try FileOperations.system.synchronize(file)
        if source != nil { try keepOriginal(path) }
        try Directory.rename(path + ".cleaned", to: path)
        try Directory.synchronize(directory)
        let segment = Segment(
            directory: directory,
            baseOffset: check.segment.baseOffset,
            size: size
        )
        _ = try SegmentIndexRepair.rebuild(segment)
        return segment
    }

    private enum Part {
        case sound(Range<Int64>)
        case lost(Range<Int64>)
    }

    /// Batches and damages by their place in the file.
    private func parts() -> [Part] {
        var parts: [(position: Int64, order: Int, part: Part)] = []
        for batch in check.batches {
            parts.append((batch.bytes.lowerBound, 1, .sound(batch.bytes)))
        }
        for damage in check.damages where !damage.offsets.isEmpty {
            parts.append((damage.bytes.lowerBound, 0, .lost(damage.offsets)))
        }
        return parts.sorted { ($0.position, $0.order) < ($1.position, $1.order) }.map(\.part)
    }

    private func copy(
        _ range: Range<Int64>,
        of source: LogFile,
        to output: OutputBuffer
    ) throws(FileFailure) {
        let bytes = try source.bytes(range)
        bytes.withUnsafeBytes { output.append($0) }
    }

    private func fill(_ offsets: Range<Int64>, in output: OutputBuffer) {
        let rewriter = RecordBatchRewriter()
        var first = offsets.lowerBound
        while first < offsets.upperBound {
            let count = min(offsets.upperBound - first, Int64(Int32.max))
            rewriter.appendEmpty(offsets: first..<first + count, to: output)
            first += count
        }
    }

    private func flush(
        _ output: OutputBuffer,
        to file: LogFile,
        _ size: inout Int64,
        above limit: Int
    ) throws(FileFailure) {
        guard output.count > limit else { return }
        try FileOperations.system.writeAll(output.bytes, to: file, at: size)
        size += Int64(output.count)
        output.count = 0
    }

    private func keepOriginal(_ path: String) throws(FileFailure) {
        var copy = path + ".corrupt"
        var number = 1
        while Directory.exists(copy) {
            number += 1
            copy = "\(path).\(number).corrupt"
        }
        guard link(path, copy) == 0 else { throw FileFailure("link", copy) }
    }
}
