package import ConnectorSDK

/// How a value that stands for a time becomes another one.
package struct TimeConversion {
    /// What times become; Kafka Connect's words.
    package enum Target: String, CaseIterable, Sendable {
        case string, unix
        case date = "Date"
        case time = "Time"
        case timestamp = "Timestamp"

        package var fieldType: FieldType {
            switch self {
            case .string: .string
            case .unix: .int64
            case .date: .date
            case .time: .time
            case .timestamp: .timestamp
            }
        }
    }

    /// What a number since 1970 counts.
    package enum Precision: String, CaseIterable, Sendable {
        case seconds, milliseconds, microseconds, nanoseconds
    }

    package let target: Target
    package let precision: Precision
    /// How text is read and written.
    package let pattern: DatePattern?
    private let output = OutputBuffer(capacity: 256)

    package init(target: Target, precision: Precision, pattern: DatePattern?) {
        self.target = target
        self.precision = precision
        self.pattern = pattern
    }

    /// The value as the target; `nil` when it is no time.
    ///
    /// Null and absence stay.
    package func convert(_ cell: Cell, in batch: RecordBatch) -> Cell? {
        if cell.isNil { return cell }
        switch (cell.tag, target) {
        case (.int, .unix), (.date, .date), (.time, .time), (.timestamp, .timestamp): return cell
        default: break
        }
        guard let microseconds = microseconds(cell) else { return nil }
        switch target {
        case .string:
            guard let pattern else { return nil }
            output.count = 0
            pattern.write(microseconds: microseconds, to: output)
            return .slice(.string, batch.arena.copy(output.bytes))
        case .unix: return unix(microseconds).map { .int($0) }
        case .date:
            let days = CivilDate.floor(microseconds, CivilDate.microsecondsPerDay)
            return Cell(tag: .date, bits: UInt64(bitPattern: days))
        case .time:
            let days = CivilDate.floor(microseconds, CivilDate.microsecondsPerDay)
            let ofDay = microseconds - days * CivilDate.microsecondsPerDay
            return Cell(tag: .time, bits: UInt64(bitPattern: ofDay))
        case .timestamp: return .timestamp(microseconds: microseconds)
        }
    }

    /// The time in microseconds since 1970.
    private func microseconds(_ cell: Cell) -> Int64? {
        switch cell.tag {
        case .timestamp, .localTimestamp, .time: return cell.int64
        case .date:
            let product = cell.int64.multipliedReportingOverflow(by: CivilDate.microsecondsPerDay)
            return product.overflow ? nil : product.partialValue
        case .int:
            let factor: Int64
            switch precision {
            case .seconds: factor = 1_000_000
            case .milliseconds: factor = 1_000
            case .microseconds: factor = 1
            case .nanoseconds: return CivilDate.floor(cell.int64, 1_000)
            }
            let product = cell.int64.multipliedReportingOverflow(by: factor)
            return product.overflow ? nil : product.partialValue
        case .string: return pattern?.read(cell.slice)
        default: return nil
        }
    }

    private func unix(_ microseconds: Int64) -> Int64? {
        switch precision {
        case .seconds: return microseconds / 1_000_000
        case .milliseconds: return CivilDate.floor(microseconds, 1_000)
        case .microseconds: return microseconds
        case .nanoseconds:
            let product = microseconds.multipliedReportingOverflow(by: 1_000)
            return product.overflow ? nil : product.partialValue
        }
    }
}
