/// Says for some offsets of a partition which ones they are in a copy of it.
///
/// It is told of every record in order, where it was and where it is. An offset stands for the
/// record to be read next, so one that no record has becomes that of the next record.
internal struct OffsetTranslation {
    private var waiting: ArraySlice<Int64>
    /// The new offset of each that was passed.
    internal private(set) var translated: [Int64: Int64] = [:]

    /// Begins to translate these offsets.
    internal init(_ offsets: some Sequence<Int64>) { waiting = Set(offsets).sorted()[...] }

    /// Notes that the offsets below this one stay as they are.
    internal mutating func keep(below offset: Int64) {
        while let next = waiting.first, next < offset {
            translated[next] = next
            waiting.removeFirst()
        }
    }

    /// Notes where the next record was and is.
    @inline(__always)
    internal mutating func pass(_ old: Int64, at new: Int64) {
        while let next = waiting.first, next <= old {
            translated[next] = new
            waiting.removeFirst()
        }
    }

    /// Notes where the partition ended and ends; what lies behind stays as far behind.
    internal mutating func end(_ old: Int64, at new: Int64) {
        pass(old, at: new)
        for offset in waiting { translated[offset] = new + (offset - old) }
        waiting = []
    }
}
