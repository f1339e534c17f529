import CBytes
import ConnectorSDK

/// Finds the cells of one record in memory, without changing or copying them.
///
/// Reads up to 16 bytes past the end it is given, which ``Chunk/padding`` allows.
struct CSVScanner {
    /// What can be wrong with a record's quotes.
    enum Problem: Equatable {
        case none
        /// Text follows the closing quote of the cell.
        case textAfterQuote(cell: Int)
        /// The input ends inside the quotes opened so many lines behind the record's first.
        case unterminatedQuote(lines: Int)
    }

    /// Marks a cell that was in quotes, in ``Cell/flags``.
    static let quoted: UInt16 = 1
    /// Marks a cell that holds doubled quotes or escapes.
    static let escaped: UInt16 = 2

    let dialect: CSVDialect
    private let fourth: UInt8

    /// The byte behind the record and its line end.
    private(set) var next: UnsafePointer<UInt8>
    /// The byte behind the record's last cell.
    private(set) var contentEnd: UnsafePointer<UInt8>
    /// The number of cells found.
    private(set) var cellCount = 0
    /// The number of line ends passed, in quotes and behind the record.
    private(set) var lineEnds = 0
    private(set) var problem = Problem.none
    private var flags: UInt16 = 0

    init(_ dialect: CSVDialect, at start: UnsafePointer<UInt8>) {
        self.dialect = dialect
        // A dialect without escapes looks for line feeds twice, which costs nothing.
        fourth = dialect.escape == CSVDialect.absent ? 0x0A : UInt8(dialect.escape)
        next = start
        contentEnd = start
    }

    /// Finds the cells of the record that begins at `start`.
    ///
    /// Stores the first `limit` cells as `.string` slices with ``quoted`` and ``escaped`` flags.
    /// When the input `isLast`, `end` ends a record too. Returns `false` when the record does not
    /// end before `end`.
    mutating func scan(
        _ start: UnsafePointer<UInt8>,
        to end: UnsafePointer<UInt8>,
        isLast: Bool,
        into cells: UnsafeMutablePointer<Cell>,
        limit: Int
    ) -> Bool {
        var place = start
        var count = 0
        lineEnds = 0
        problem = .none
        while true {
            if dialect.trims { skipBlanks(&place, end) }
            flags = 0
            var cellStart = place
            var cellEnd = place
            if place < end, UInt16(place.pointee) == dialect.quote {
                cellStart = place + 1
                guard let closing = closingQuote(from: cellStart, to: end, isLast: isLast) else {
                    return false
                }
                cellEnd = closing
                guard let behind = behindQuote(closing, end, isLast, cell: count) else {
                    return false
                }
                place = behind
            } else {
                guard let found = unquotedEnd(from: place, to: end, isLast: isLast) else {
                    return false
                }
                place = found
                cellEnd = found
            }
            if count < limit {
                cells[count] = Self.cell(cellStart, cellEnd, flags)
            }
            count &+= 1
            if place < end, place.pointee == dialect.delimiter {
                place += 1
                continue
            }
            cellCount = count
            contentEnd = place
            return finish(at: place, end, isLast)
        }
    }

    @inline(__always)
    private static func cell(
        _ start: UnsafePointer<UInt8>,
        _ end: UnsafePointer<UInt8>,
        _ flags: UInt16
    ) -> Cell {
        var cell = Cell(
            tag: .string,
            bits: UInt64(UInt(bitPattern: start)),
            length: UInt32(truncatingIfNeeded: end - start)
        )
        cell.flags = flags
        return cell
    }

    @inline(__always)
    private func skipBlanks(_ place: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) {
        while place < end, dialect.isBlank(place.pointee) { place += 1 }
    }

    /// The delimiter, line end or end of input behind an unquoted cell, or `nil`: not in sight.
    @inline(__always)
    private mutating func unquotedEnd(
        from start: UnsafePointer<UInt8>,
        to end: UnsafePointer<UInt8>,
        isLast: Bool
    ) -> UnsafePointer<UInt8>? {
        var place = start
        while place < end {
            let mask = mr_match4_16(place, dialect.delimiter, 0x0A, 0x0D, fourth)
            guard mask != 0 else {
                place += 16
                continue
            }
            place += mask.trailingZeroBitCount
            guard place < end else { break }
            guard UInt16(place.pointee) == dialect.escape else { return place }
            guard let behind = behindEscape(place, end, isLast) else { return nil }
            place = behind
        }
        return isLast ? end : nil
    }

    /// The quote that closes a cell, or the end of the last input; `nil`: not in sight.
    private mutating func closingQuote(
        from start: UnsafePointer<UInt8>,
        to end: UnsafePointer<UInt8>,
        isLast: Bool
    ) -> UnsafePointer<UInt8>? {
        flags = Self.quoted
        let openedAt = lineEnds
        let quote = UInt8(truncatingIfNeeded: dialect.quote)
        var place = start
        while place < end {
            let mask = mr_match4_16(place, quote, 0x0A, 0x0D, fourth)
            guard mask != 0 else {
                place += 16
                continue
            }
            place += mask.trailingZeroBitCount
            guard place < end else { break }
            if place.pointee == quote {
                guard place + 1 < end else { return isLast ? place : nil }
                guard place[1] == quote else { return place }
                flags |= Self.escaped
                place += 2
            } else if UInt16(place.pointee) == dialect.escape {
                guard let behind = behindEscape(place, end, isLast) else { return nil }
                place = behind
            } else {
                guard let behind = behindLineEnd(place, end, isLast) else { return nil }
                place = behind
            }
        }
        guard isLast else { return nil }
        problem = .unterminatedQuote(lines: openedAt)
        return end
    }

    /// The place behind an escape and what it escapes; `nil`: not in sight.
    private mutating func behindEscape(
        _ place: UnsafePointer<UInt8>,
        _ end: UnsafePointer<UInt8>,
        _ isLast: Bool
    ) -> UnsafePointer<UInt8>? {
        flags |= Self.escaped
        guard place + 1 < end else { return isLast ? end : nil }
        let byte = place[1]
        return byte == 0x0A || byte == 0x0D ? behindLineEnd(place + 1, end, isLast) : place + 2
    }

    /// The place behind LF, CR or CRLF, counting the line; `nil`: not in sight.
    @inline(__always)
    private mutating func behindLineEnd(
        _ place: UnsafePointer<UInt8>,
        _ end: UnsafePointer<UInt8>,
        _ isLast: Bool
    ) -> UnsafePointer<UInt8>? {
        if place.pointee == 0x0D {
            guard place + 1 < end || isLast else { return nil }
            if place + 1 < end, place[1] == 0x0A {
                lineEnds &+= 1
                return place + 2
            }
        }
        lineEnds &+= 1
        return place + 1
    }

    /// The end of a cell whose quotes closed at `closing`; text before it is a problem.
    private mutating func behindQuote(
        _ closing: UnsafePointer<UInt8>,
        _ end: UnsafePointer<UInt8>,
        _ isLast: Bool,
        cell: Int
    ) -> UnsafePointer<UInt8>? {
        guard closing < end else { return end }
        var place = closing + 1
        if dialect.trims { skipBlanks(&place, end) }
        guard place < end else { return isLast ? end : nil }
        let byte = place.pointee
        if byte == dialect.delimiter || byte == 0x0A || byte == 0x0D { return place }
        if problem == .none { problem = .textAfterQuote(cell: cell) }
        return unquotedEnd(from: place, to: end, isLast: isLast)
    }

    @inline(__always)
    private mutating func finish(
        at place: UnsafePointer<UInt8>,
        _ end: UnsafePointer<UInt8>,
        _ isLast: Bool
    ) -> Bool {
        guard place < end else {
            next = end
            return true
        }
        guard let behind = behindLineEnd(place, end, isLast) else { return false }
        next = behind
        return true
    }
}
