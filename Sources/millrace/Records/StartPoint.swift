import ArgumentParser
import ConnectorSDK

/// Where to begin in each partition, as `--from` and `--to` say it.
enum StartPoint: ExpressibleByArgument, Equatable {
    case beginning
    case end
    case offset(Int64)
    /// Milliseconds since the epoch.
    case timestamp(Int64)

    /// Numbers from here on are milliseconds: September 2001, and more records than disks hold.
    private static let smallestTimestamp: Int64 = 1_000_000_000_000

    init?(argument: String) {
        switch argument {
        case "beginning", "earliest": self = .beginning
        case "end", "latest": self = .end
        default:
            if let number = Int64(argument) {
                guard number >= 0 else { return nil }
                self = number >= Self.smallestTimestamp ? .timestamp(number) : .offset(number)
            } else {
                var text = argument
                guard let time = text.withUTF8({ TimeText.instant(UnsafeRawBufferPointer($0)) })
                else { return nil }
                self = .timestamp(CivilDate.floor(time.int64, 1_000))
            }
        }
    }

    static var help: String {
        "beginning, end, an offset, a date or time such as 2026-01-31T12:00:00Z (UTC), or "
            + "milliseconds since 1970."
    }
}
