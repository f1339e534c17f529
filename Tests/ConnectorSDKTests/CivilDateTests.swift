import ConnectorSDK
import Testing

@Suite("Civil dates")
struct CivilDateTests {
    @Test(
        "a date is so many days from 1970",
        arguments: [
            (1970, 1, 1, 0), (1969, 12, 31, -1), (2000, 2, 29, 11_016), (2000, 3, 1, 11_017),
            (1900, 2, 28, -25_509), (1900, 3, 1, -25_508), (0, 1, 1, -719_528),
            (0, 2, 29, -719_469), (0, 3, 1, -719_468), (-1, 12, 31, -719_529),
            (-4, 2, 29, -720_930), (-400, 1, 1, -865_625), (1, 1, 1, -719_162),
            (9_999, 12, 31, 2_932_896), (10_000, 1, 1, 2_932_897),
            (999_999_999, 12, 31, 365_241_780_471), (-999_999_999, 1, 1, -365_243_219_162),
        ] as [(Int64, Int64, Int64, Int64)]
    )
    func known(year: Int64, month: Int64, day: Int64, days: Int64) {
        let date = CivilDate(year: year, month: month, day: day)
        #expect(date.days == days)
        // Up to the year that has nine digits, with a margin, both ways agree.
        if days.magnitude < 365_000_000_000 { #expect(CivilDate(days: days) == date) }
    }

    @Test(
        "what is no date has no days",
        arguments: [
            (2023, 2, 29), (1900, 2, 29), (2026, 4, 31), (2026, 0, 1), (2026, 13, 1),
            (2026, 1, 0), (2026, 1, 32), (1_000_000_000, 1, 1), (.min, 1, 1), (2026, .max, .max),
        ] as [(Int64, Int64, Int64)]
    )
    func none(year: Int64, month: Int64, day: Int64) {
        #expect(CivilDate(year: year, month: month, day: day).days == nil)
    }

    @Test("every day of eleven centuries follows the one before it")
    func walk() throws {
        var expected = CivilDate(year: -200, month: 1, day: 1)
        let first = try #require(expected.days)
        var ofYear: Int64 = 1
        for days in first..<first + 400_000 {
            let date = try #require(CivilDate(days: days))
            // One expectation for each of so many days would take a minute.
            if date != expected || date.days != days || date.dayOfYear != ofYear {
                Issue.record("\(date) is not \(expected)")
                return
            }
            expected.day += 1
            ofYear += 1
            if expected.day > CivilDate.length(ofMonth: expected.month, in: expected.year) {
                expected.day = 1
                expected.month += 1
            }
            if expected.month > 12 {
                expected.month = 1
                expected.year += 1
                ofYear = 1
            }
        }
    }

    @Test("days that no year of nine digits has are none", arguments: [Int64.min, .max])
    func tooFar(days: Int64) {
        #expect(CivilDate(days: days) == nil)
    }

    @Test(
        "an instant is a date and a time of its day",
        arguments: [
            (0, 0, 0), (-1, -1, 86_399_999_999), (86_400_000_000, 1, 0),
            (.max, 106_751_991, 14_454_775_807), (.min, -106_751_992, 71_945_224_192),
        ] as [(Int64, Int64, Int64)]
    )
    func splits(microseconds: Int64, days: Int64, ofDay: Int64) {
        let parts = CivilDate.split(microseconds: microseconds)
        #expect(parts.date.days == days)
        #expect(parts.microsecondsOfDay == ofDay)
    }
}
