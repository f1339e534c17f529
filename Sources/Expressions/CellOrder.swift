package import ConnectorSDK
internal import Glibc

/// jq's order of values: null, false, true, numbers, strings, arrays, objects.
///
/// A missing field is null. Bytes count as strings. Dates and times compare with each other, and
/// with text in ISO 8601, by the time they stand for; text that is none comes after them.
package enum CellOrder {
    /// Less than, equal to or greater than 0, as `left` is to `right`.
    @inline(__always)
    package static func compare(_ left: Cell, _ right: Cell) -> Int {
        if left.tag == .int, right.tag == .int {
            return left.int64 < right.int64 ? -1 : left.int64 == right.int64 ? 0 : 1
        }
        if left.tag == .string, right.tag == .string { return compareBytes(left, right) }
        if left.tag == .decimal, let order = ExactNumber.compareDecimal(left, right) {
            return order
        }
        return compareAny(left, right)
    }

    /// Whether a value counts as true: all but null and false do.
    @inline(__always)
    package static func isTrue(_ cell: Cell) -> Bool {
        !cell.isNil && (cell.tag != .bool || cell.bits != 0)
    }

    @inline(never)
    private static func compareAny(_ left: Cell, _ right: Cell) -> Int {
        let leftRank = rank(left), rightRank = rank(right)
        guard leftRank == rightRank else { return leftRank < rightRank ? -1 : 1 }
        switch leftRank {
        case .number: return ExactNumber.compare(left, right)
        case .text: return compareTexts(left, right)
        case .array, .object: return compareBytes(left, right)
        case .null, .falsity, .truth: return 0
        }
    }

    private enum Rank: Int, Comparable {
        case null, falsity, truth, number, text, array, object

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    private static func rank(_ cell: Cell) -> Rank {
        switch cell.tag {
        case .missing, .null: .null
        case .bool: cell.bits == 0 ? .falsity : .truth
        case .int, .double, .decimal, .number: .number
        case .string, .bytes, .date, .time, .timestamp, .localTimestamp: .text
        case .json: cell.slice.first == UInt8(ascii: "[") ? .array : .object
        }
    }

    @inline(__always)
    private static func compareBytes(_ left: Cell, _ right: Cell) -> Int {
        let (left, right) = (left.slice, right.slice)
        let shared = min(left.count, right.count)
        if shared > 0, let leftStart = left.baseAddress, let rightStart = right.baseAddress {
            let difference = memcmp(leftStart, rightStart, shared)
            if difference != 0 { return Int(difference) }
        }
        return left.count - right.count
    }

    private static func compareTexts(_ left: Cell, _ right: Cell) -> Int {
        if left.isSlice, right.isSlice { return compareBytes(left, right) }
        if left.tag == .time || right.tag == .time {
            return order(timeOfDay(left), timeOfDay(right), left, right)
        }
        return order(instant(left), instant(right), left, right)
    }

    /// Orders two times; what is no time comes last.
    private static func order(_ first: Int64?, _ second: Int64?, _ left: Cell, _ right: Cell)
        -> Int
    {
        switch (first, second) {
        case (let first?, let second?): first < second ? -1 : first == second ? 0 : 1
        case (nil, _?): 1
        case (_?, nil): -1
        case (nil, nil): Int(left.tag.rawValue) - Int(right.tag.rawValue)
        }
    }

    private static func timeOfDay(_ cell: Cell) -> Int64? {
        cell.tag == .time
            ? cell.int64 : cell.isSlice ? TimeText.time(cell.slice) : nil
    }

    private static func instant(_ cell: Cell) -> Int64? {
        switch cell.tag {
        case .timestamp, .localTimestamp: return cell.int64
        case .date:
            let (microseconds, overflow) = cell.int64.multipliedReportingOverflow(
                by: CivilDate.microsecondsPerDay
            )
            return overflow ? (cell.int64 < 0 ? .min : .max) : microseconds
        case .string, .bytes: return TimeText.instant(cell.slice)?.int64
        default: return nil
        }
    }
}
