/// Makes lines of logs, the same for the same seed.
struct LineGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func pick(_ texts: [String]) -> String { texts.randomElement(using: &self) ?? "" }

    mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &self) }

    private mutating func two(_ range: ClosedRange<Int>) -> String {
        let number = number(range)
        return number < 10 ? "0\(number)" : "\(number)"
    }

    private mutating func word() -> String {
        pick(["alpha", "beta", "x", "db-1", "a.b.c", "node_7", "UPPER", "42", "z9"])
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    mutating func combined() -> String {
        let host = pick(["10.0.\(number(0...255)).\(number(0...255))", "::1", "host.example.com"])
        let time = """
            \(two(1...28))/\(pick(Self.months))/\(number(1_971...2_037)):\
            \(two(0...23)):\(two(0...59)):\(two(0...59)) \(pick(["+", "-"]))\(two(0...12))\(pick(["00", "30"]))
            """
        let path = pick(["/", "/a?b=c&d=%20", "/%C3%BC", "/x.gif", "/" + word() + "/" + word()])
        let request = pick([
            "GET \(path) HTTP/1.1", "POST \(path) HTTP/2.0", "-", "GET /", "PRI * HTTP/2.0",
            "\(word()) \(word())",
        ])
        let status = pick(["200", "304", "404", "500"])
        let size = pick(["-", "\(number(0...9_999_999))"])
        let user = pick(["-", "frank", "j.doe@example.com", word()])
        let referrer = pick(["-", "https://example.com/\(word())?q=[x]", ""])
        let agent = pick(["-", "Mozilla/5.0 (X11; Linux x86_64) [en]", "curl/8.5.0", "e 'x'"])
        return #"\#(host) - \#(user) [\#(time)] "\#(request)" \#(status) \#(size) "#
            + #""\#(referrer)" "\#(agent)""#
    }

    mutating func rfc5424() -> String {
        let fraction = pick(["", ".1", ".003", ".123456"])
        let time = """
            \(number(1_971...2_037))-\(two(1...12))-\(two(1...28))T\(two(0...23)):\(two(0...59)):\
            \(two(0...59))\(fraction)\(pick(["Z", "+02:00", "-07:30"]))
            """
        let data = pick([
            "-", #"[id@1 a="1"]"#, #"[id@1 a="1" b="x y"][\#(word()) c=""]"#, "[\(word())]",
        ])
        let message = pick([" text", " su: 'x' failed é", " a [b] \"c\" = d", ""])
        return """
            <\(number(0...191))>1 \(pick([time, time, "-"])) \(pick(["-", word()])) \
            \(pick(["-", word()])) \(pick(["-", "\(number(1...99_999))"])) \(pick(["-", "ID47"])) \
            \(data)\(message)
            """
    }

    mutating func rfc3164() -> String {
        let day = number(1...28)
        let message = pick([
            "su: 'su root' failed", "sshd[\(number(1...99_999))]: Accepted key for x",
            "just some text", "kernel: [12.5] a: b", "CRON[1]: (root) CMD (x)",
        ])
        return """
            <\(number(0...191))>\(pick(Self.months)) \(day < 10 ? " \(day)" : "\(day)") \
            \(two(0...23)):\(two(0...59)):\(two(0...59)) \(pick(["host", "db-1", "10.0.0.1"])) \
            \(message)
            """
    }
}
