/// Durations and sizes as people write them.
public enum Units {
    /// Reads `500ms`, `10s`, `5m`, `2h`, `7d` or a bare number of milliseconds; `nil` if it is none.
    public static func duration(_ text: String) -> Duration? {
        guard let (number, unit) = split(text) else { return nil }
        let milliseconds: Int64
        switch unit {
        case "", "ms": milliseconds = 1
        case "s": milliseconds = 1_000
        case "m", "min": milliseconds = 60_000
        case "h": milliseconds = 3_600_000
        case "d": milliseconds = 86_400_000
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: milliseconds)
        return overflow ? nil : .milliseconds(product)
    }

    /// Reads `64MiB`, `10kB`, `1GiB` or a bare number of bytes; `nil` if it is none.
    public static func bytes(_ text: String) -> Int? {
        guard let (number, unit) = split(text) else { return nil }
        let factor: Int64
        switch unit.lowercased() {
        case "", "b": factor = 1
        case "kb": factor = 1_000
        case "kib", "k": factor = 1 << 10
        case "mb": factor = 1_000_000
        case "mib", "m": factor = 1 << 20
        case "gb": factor = 1_000_000_000
        case "gib", "g": factor = 1 << 30
        case "tib", "t": factor = 1 << 40
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : Int(exactly: product)
    }

    /// Writes a duration in the largest unit that is exact.
    public static func describe(_ duration: Duration) -> String {
        let parts = duration.components
        let milliseconds = parts.seconds * 1_000 + parts.attoseconds / 1_000_000_000_000_000
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
        where milliseconds != 0 && milliseconds % Int64(size) == 0 {
            return "\(milliseconds / Int64(size))\(unit)"
        }
        return "\(milliseconds)ms"
    }

    /// Writes a size in the largest binary unit that is exact.
    public static func describe(bytes: Int) -> String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        where bytes != 0 && bytes != .max && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return String(bytes)
    }

    private static func split(_ text: String) -> (Int64, String)? {
        let digits = text.prefix { ("0"..."9").contains($0) || $0 == "-" }
        guard let number = Int64(digits) else { return nil }
        let unit = text.dropFirst(digits.count).drop(while: \.isWhitespace)
        return (number, String(unit))
    }
}
