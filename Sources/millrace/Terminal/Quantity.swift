/// Numbers as people read them.
enum Quantity {
    /// Thousands apart: `1,234,567`.
    static func count(_ number: Int64) -> String {
        let digits = String(number.magnitude)
        var groups: [Substring] = []
        var rest = digits[...]
        while rest.count > 3 {
            groups.append(rest.suffix(3))
            rest = rest.dropLast(3)
        }
        groups.append(rest)
        return (number < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
    }

    /// A size with its unit: `812 B`, `43.2 MiB`.
    static func bytes(_ number: Double) -> String {
        var value = number
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1_024 { return decimal(value, unit == "B" ? 0 : 1) + " " + unit }
            value /= 1_024
        }
        return decimal(value, 1) + " TiB"
    }

    /// A length of time: `0.4 s`, `12 s`, `3:05`, `2:03:05`.
    static func seconds(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "-" }
        if seconds < 10 { return decimal(seconds, 1) + " s" }
        let whole = Int64(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (hours, minutes) = (whole / 3_600, whole / 60 % 60)
        return hours == 0
            ? "\(minutes):\(two(whole % 60))" : "\(hours):\(two(minutes)):\(two(whole % 60))"
    }

    /// A number with this many decimal places.
    static func decimal(_ value: Double, _ places: Int) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "-" }
        guard places > 0 else { return String(Int64(value.rounded())) }
        let factor: Double = places == 1 ? 10 : 100
        let scaled = Int64((value * factor).rounded())
        let fraction = String(Int64(factor) + abs(scaled % Int64(factor))).dropFirst()
        return "\(scaled / Int64(factor)).\(fraction)"
    }
}
