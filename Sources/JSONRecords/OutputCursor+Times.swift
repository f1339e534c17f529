internal import ConnectorSDK

extension OutputCursor {
    /// Writes a date or time in quotes, as ``TimeText`` has it; `false` when it refuses the cell.
    mutating func temporal(_ cell: Cell) -> Bool {
        ensure(TimeText.capacity + 2)
        put(UInt8(ascii: "\""))
        let count: Int? =
            switch cell.tag {
            case .date: TimeText.write(date: cell.int64, to: next)
            case .time: TimeText.write(time: cell.int64, to: next)
            case .localTimestamp: TimeText.write(localTimestamp: cell.int64, to: next)
            default:
                TimeText.write(
                    timestamp: cell.int64,
                    offsetSeconds: Int32(bitPattern: cell.length),
                    to: next
                )
            }
        guard let count else { return false }
        next += count
        put(UInt8(ascii: "\""))
        return true
    }
}
