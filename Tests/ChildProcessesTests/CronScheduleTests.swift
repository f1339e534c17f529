import ConnectorSDK
import Glibc
import Testing

@testable import ChildProcesses

@Suite("Cron schedules")
struct CronScheduleTests {
    private static func utc(_ time: Int64) -> tm {
        var clock = Int(time)
        var parts = tm()
        gmtime_r(&clock, &parts)
        return parts
    }

    /// Berlin's time in 2026.
    private static func berlin(_ time: Int64) -> tm {
        let isSummer =
            Self.time("2026-03-29 01:00:00") <= time
            && time < Self.time("2026-10-25 01:00:00")
        return utc(time + (isSummer ? 7_200 : 3_600))
    }

    private static func time(_ text: String) -> Int64 {
        var text = text
        let cell = text.withUTF8 { TimeText.instant(UnsafeRawBufferPointer($0)) }
        return (cell?.int64 ?? 0) / 1_000_000
    }

    @Test(
        "the next time is the first one behind now",
        arguments: [
            ("*/10 * * * *", "2026-11-21 20:30:00", "2026-11-21 20:40:00"),
            ("*/10 * * * *", "2026-11-21 20:29:59", "2026-11-21 20:30:00"),
            ("30 6 * * mon-fri", "2026-11-20 06:30:00", "2026-11-23 06:30:00"),
            ("0 0 29 2 *", "2026-03-01 00:00:00", "2028-02-29 00:00:00"),
            ("5,7-9/2 23 31 12 *", "2026-12-31 23:07:10", "2026-12-31 23:09:00"),
            ("0 0 13 * fri", "2026-11-21 00:00:00", "2026-11-27 00:00:00"),
            ("0 12 * * 7", "2026-11-21 00:00:00", "2026-11-22 12:00:00"),
            ("@hourly", "2026-11-21 20:30:00", "2026-11-21 21:00:00"),
            ("@yearly", "2026-11-21 20:30:00", "2027-01-01 00:00:00"),
            ("15 3 1 jan,jul *", "2026-11-21 20:30:00", "2027-01-01 03:15:00"),
        ]
    )
    func next(_ text: String, _ now: String, _ expected: String) throws {
        let schedule = try #require(CronSchedule(text))
        let next = schedule.next(after: Self.time(now), local: Self.utc)
        #expect(next == Self.time(expected))
    }

    @Test("a day of 23 or 25 hours has every full hour that there is")
    func changingClocks() throws {
        let hourly = try #require(CronSchedule("0 * * * *"))
        for day in ["2026-03-28 20:00:00", "2026-10-24 20:00:00"] {
            var time = Self.time(day)
            for _ in 0..<12 {
                let next = try #require(hourly.next(after: time, local: Self.berlin))
                #expect(next == time + 3_600)
                time = next
            }
        }
        // Early on the short day.
        let daily = try #require(CronSchedule("30 0 * * *"))
        let next = daily.next(after: Self.time("2026-03-28 23:45:00"), local: Self.berlin)
        #expect(next == Self.time("2026-03-29 22:30:00"))
    }

    @Test(
        "what is no schedule is none",
        arguments: [
            "", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
            "*/0 * * * *", "5-1 * * * *", "a * * * *", "1,,2 * * * *", "@never", "1/2/3 * * * *",
        ]
    )
    func invalid(_ text: String) { #expect(CronSchedule(text) == nil) }

    @Test("a day that never comes is not waited for")
    func never() throws {
        let schedule = try #require(CronSchedule("0 0 30 2 *"))
        #expect(schedule.next(after: Self.time("2026-01-01 00:00:00"), local: Self.utc) == nil)
    }
}
