internal import ConnectorSDK
internal import Expressions

/// What one function has of one group so far.
internal struct Accumulator {
    /// The values seen, but for absent ones and nulls; of `count` without a field, the records.
    internal var count: Int64 = 0
    /// The exact sum of integers and decimals.
    internal var sum = LongDecimal(mantissa: 0, scale: 0)
    /// The sum of binary floating-point numbers.
    internal var inexact = 0.0
    internal var hasInexact = false
    /// The value kept by `min`, `max`, `first` and `last`; a slice is of `text`.
    internal var kept = Cell.missing
    internal var text: [UInt8] = []
    /// The values that `distinct` has seen.
    internal var seen: Set<[UInt8]> = []
    /// Those of them that the store does not have yet.
    private var news: [[UInt8]] = []

    /// Takes a value that the function does not refuse.
    ///
    /// - Throws: what fails the task, since nothing may be left out of a sum.
    @inline(__always)
    internal mutating func add(
        _ cell: Cell,
        _ function: borrowing AggregateFunction,
        limit: Int
    ) throws(ConnectorError) {
        if function.kind == .count {
            if !cell.isNil || function.field == nil { count &+= 1 }
            return
        }
        guard !cell.isNil else { return }
        count &+= 1
        if function.kind == .sum || function.kind == .avg {
            if cell.tag == .int, sum.scale == 0 {
                let (total, overflow) = sum.mantissa.addingReportingOverflow(Int128(cell.int64))
                if !overflow {
                    sum.mantissa = total
                    return
                }
            } else if cell.tag == .decimal, Int(cell.scale) == sum.scale {
                let (total, overflow) = sum.mantissa.addingReportingOverflow(Int128(cell.int64))
                if !overflow {
                    sum.mantissa = total
                    return
                }
            }
            try addSlowly(cell, function)
        } else {
            try keep(cell, function, limit: limit)
        }
    }

    @inline(never)
    private mutating func addSlowly(
        _ cell: Cell,
        _ function: borrowing AggregateFunction
    ) throws(ConnectorError) {
        let value: LongDecimal?
        switch cell.tag {
        case .double:
            inexact += Double(bitPattern: cell.bits)
            hasInexact = true
            return
        case .number: value = LongDecimal(cell.slice)
        default: value = LongDecimal(mantissa: Int128(cell.int64), scale: Int(cell.scale))
        }
        guard let value, let total = sum.adding(value) else {
            throw ConnectorError(
                .init("aggregate.sum_too_long"),
                .failTask,
                "The sum `\(function.name)` has more than 38 digits.",
                at: "aggregates.\(function.name)"
            )
        }
        sum = total
    }

    @inline(never)
    private mutating func keep(
        _ cell: Cell,
        _ function: borrowing AggregateFunction,
        limit: Int
    ) throws(ConnectorError) {
        switch function.kind {
        case .first where count > 1: return
        case .min where count > 1 && current({ CellOrder.compare(cell, $0) >= 0 }): return
        case .max where count > 1 && current({ CellOrder.compare(cell, $0) <= 0 }): return
        case .distinct:
            var value: [UInt8] = []
            CellBytes.append(cell, to: &value)
            guard seen.insert(value).inserted else { return }
            news.append(value)
            guard seen.count > limit else { return }
            throw ConnectorError(
                .init("aggregate.too_many_distinct"),
                .failTask,
                "A group has more than \(limit) different values of `\(function.field ?? "")`.",
                at: "distinct.max",
                hint: "They are counted exactly and kept in memory: raise `distinct.max`, or make "
                    + "windows or groups smaller."
            )
        default:
            kept = cell
            text.removeAll(keepingCapacity: true)
            if cell.isSlice { text.append(contentsOf: cell.slice) }
        }
    }

    /// Calls `body` with the kept value.
    internal func current<R>(_ body: (Cell) -> R) -> R {
        guard kept.isSlice else { return body(kept) }
        return text.withUnsafeBytes { body(.slice(kept.tag, $0)) }
    }

    /// The result; slices are of the batch's own memory.
    internal func result(_ function: AggregateFunction, in batch: RecordBatch) -> Cell {
        switch function.kind {
        case .count: return .int(count)
        case .distinct: return .int(Int64(seen.count))
        case .sum: return total(in: batch)
        case .avg:
            guard count > 0 else { return .null }
            return .double((sum.double + inexact) / Double(count))
        case .min, .max, .first, .last:
            guard count > 0 else { return .null }
            return current { cell in
                cell.isSlice ? .slice(cell.tag, batch.arena.copy(cell.slice)) : cell
            }
        }
    }

    private func total(in batch: RecordBatch) -> Cell {
        guard count > 0 else { return .null }
        if hasInexact { return .double(sum.double + inexact) }
        if let small = Int64(exactly: sum.mantissa) {
            if sum.scale == 0 { return .int(small) }
            if sum.scale <= 18 { return .decimal(small, scale: UInt8(sum.scale)) }
        }
        return Array(sum.digits.utf8).withUnsafeBytes { .slice(.number, batch.arena.copy($0)) }
    }

    // MARK: State

    /// What `distinct` has seen since the last call.
    internal mutating func takeNews() -> [[UInt8]] {
        if news.isEmpty { return [] }
        defer { news.removeAll() }
        return news
    }

    /// Writes all but the values that `distinct` has seen.
    internal func append(to bytes: inout [UInt8]) {
        CellBytes.append(count, to: &bytes)
        withUnsafeBytes(of: sum.mantissa) { bytes.append(contentsOf: $0) }
        CellBytes.append(Int64(sum.scale), to: &bytes)
        CellBytes.append(hasInexact ? 1 : 0, to: &bytes)
        CellBytes.append(Int64(bitPattern: inexact.bitPattern), to: &bytes)
        current { CellBytes.append($0, to: &bytes) }
    }

    /// Reads what ``append(to:)`` has written; `nil` when it is cut.
    internal init?(_ reader: inout CellBytes.Reader) {
        guard let count = reader.number(), let mantissa = reader.take(16),
            let scale = reader.number(), let hasInexact = reader.number(),
            let inexact = reader.number(), let cell = reader.cell()
        else { return nil }
        self.count = count
        sum.mantissa = mantissa.loadUnaligned(as: Int128.self)
        sum.scale = Int(scale)
        self.hasInexact = hasInexact == 1
        self.inexact = Double(bitPattern: UInt64(bitPattern: inexact))
        kept = cell
        if cell.isSlice { text = Array(cell.slice) }
    }

    internal init() {}
}

/// Cells as bytes: equal bytes for equal cells.
internal enum CellBytes {
    internal static func append(_ number: Int64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
    }

    /// Tag, scale, length, and the slice or the inline bits.
    @inline(__always)
    internal static func append(_ cell: Cell, to bytes: inout [UInt8]) {
        bytes.append(cell.tag.rawValue)
        bytes.append(cell.scale)
        withUnsafeBytes(of: cell.length) { bytes.append(contentsOf: $0) }
        if cell.isSlice {
            bytes.append(contentsOf: cell.slice)
        } else {
            withUnsafeBytes(of: cell.bits) { bytes.append(contentsOf: $0) }
        }
    }

    /// Reads what was appended; slices are of the bytes.
    internal struct Reader {
        private let bytes: UnsafeRawBufferPointer
        private(set) var at = 0

        internal init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        internal mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
            guard count >= 0, count <= bytes.count - at else { return nil }
            defer { at += count }
            return UnsafeRawBufferPointer(rebasing: bytes[at..<at + count])
        }

        internal mutating func number() -> Int64? {
            take(8).map { $0.loadUnaligned(as: Int64.self) }
        }

        internal mutating func rest() -> UnsafeRawBufferPointer {
            take(bytes.count - at) ?? UnsafeRawBufferPointer(start: nil, count: 0)
        }

        internal mutating func cell() -> Cell? {
            guard let head = take(6), let tag = Cell.Tag(rawValue: head[0]) else { return nil }
            let length = head.loadUnaligned(fromByteOffset: 2, as: UInt32.self)
            var cell = Cell(tag: tag, length: length, scale: head[1])
            if cell.isSlice {
                return take(Int(length)).map { .slice(tag, $0) }
            }
            guard let bits = take(8) else { return nil }
            cell.bits = bits.loadUnaligned(as: UInt64.self)
            return cell
        }
    }
}
