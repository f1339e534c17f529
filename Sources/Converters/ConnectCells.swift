internal import ConnectorSDK
internal import JSONRecords

/// Turns cells into what the envelope's payload holds, and back.
internal final class ConnectCells {
    private let numbers = TypeRestorer(Schema([Field]()))

    // MARK: - Reading

    /// The cell that a payload's value means; `nil` when the value contradicts its schema.
    func decode(_ cell: Cell, as kind: ConnectKind, in batch: RecordBatch) -> Cell? {
        if cell.isNil { return cell }
        switch kind {
        case .bool: return cell.tag == .bool ? cell : nil
        case .int16, .int32, .int64: return cell.tag == .int ? cell : nil
        case .string, .uuid: return cell.tag == .string ? cell : nil
        case .nested: return cell.tag == .json ? cell : nil
        case .float, .double: return numbers.restore(cell, as: .double, batch)
        case .bytes: return numbers.restore(cell, as: .bytes, batch)
        case .zonedTimestamp: return numbers.restore(cell, as: .timestamp, batch)
        case .json: return json(cell)
        case .decimal(let scale): return decimal(cell, scale: scale, in: batch)
        case .date: return integer(cell, times: 1, tag: .date)
        case .timeMillis: return integer(cell, times: 1_000, tag: .time)
        case .timeMicros: return integer(cell, times: 1, tag: .time)
        case .timestampMillis: return integer(cell, times: 1_000, tag: .timestamp)
        case .localMillis: return integer(cell, times: 1_000, tag: .localTimestamp)
        case .localMicros: return integer(cell, times: 1, tag: .localTimestamp)
        }
    }

    private func integer(_ cell: Cell, times factor: Int64, tag: Cell.Tag) -> Cell? {
        guard cell.tag == .int else { return nil }
        let (value, overflow) = cell.int64.multipliedReportingOverflow(by: factor)
        return overflow ? nil : Cell(tag: tag, bits: UInt64(bitPattern: value))
    }

    private func json(_ cell: Cell) -> Cell? {
        guard cell.tag == .string, JSONText.error(in: cell.slice) == nil else { return nil }
        return .slice(.json, cell.slice)
    }

    /// Connect writes decimals in base64, or as numbers where `decimal.format` says so.
    private func decimal(_ cell: Cell, scale: Int, in batch: RecordBatch) -> Cell? {
        switch cell.tag {
        case .int, .decimal, .number: return cell
        case .string:
            guard let bytes = numbers.restore(cell, as: .bytes, batch) else { return nil }
            return ConnectDecimal.cell(bytes.slice, scale: scale, in: batch)
        default: return nil
        }
    }

    // MARK: - Writing

    /// The cell that the payload has for a value of this kind; slices go to `arena`.
    func encode(_ cell: Cell, as kind: ConnectKind, arena: inout Arena) -> Cell {
        switch (kind, cell.tag) {
        case (_, .missing), (_, .null): return cell
        case (.decimal(let scale), _):
            return Self.unscaled(cell, scale: scale, arena: &arena)
        case (.double, .number):
            return .double(-0.0)
        case (.date, _), (.timeMicros, _), (.localMicros, _): return .int(cell.int64)
        case (.timeMillis, _), (.timestampMillis, _): return .int(cell.int64 / 1_000)
        case (.json, _): return .slice(.string, cell.slice)
        default: return cell
        }
    }

    private static func unscaled(_ cell: Cell, scale: Int, arena: inout Arena) -> Cell {
        var number: ConnectDecimal?
        switch cell.tag {
        case .int: number = ConnectDecimal(cell.int64, scale: 0)
        case .decimal: number = ConnectDecimal(cell.int64, scale: Int(cell.scale))
        default: number = ConnectDecimal(text: cell.slice)
        }
        guard var number else { return .null }
        number.rescale(to: scale)
        return number.bytes.withUnsafeBytes { .slice(.bytes, arena.copy($0)) }
    }
}
