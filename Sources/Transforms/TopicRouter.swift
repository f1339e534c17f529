internal import ConnectorSDK

/// Makes names of topics from values, by a regular expression and what replaces it.
internal final class TopicRouter {
    private enum Part {
        case text(String)
        case name(String)
        case number(Int)
    }

    private let regex: Regex<AnyRegexOutput>
    private let parts: [Part]
    private var known: [String: String] = [:]

    /// More values than this are looked up again each time. (D7)
    private static let limit = 1_024

    init(regex text: String, replacement: String) throws(ConnectorError) {
        guard let regex = try? Regex(text) else {
            throw .invalid("route.topic.regex", "It is no regular expression.")
        }
        self.regex = regex
        parts = Self.parts(replacement)
    }

    /// The topic for a value; `nil` when the expression does not match, or no topic has that name.
    func topic(_ value: String) -> String? {
        if let known = known[value] { return known }
        guard let match = try? regex.wholeMatch(in: value) else { return nil }
        var name = ""
        for part in parts {
            switch part {
            case .text(let text): name += text
            case .name(let group): name += match[group]?.substring ?? ""
            case .number(let group):
                name += group < match.output.count ? match.output[group].substring ?? "" : ""
            }
        }
        guard Self.isTopic(name) else { return nil }
        if known.count == Self.limit { known.removeAll() }
        known[value] = name
        return name
    }

    private static func isTopic(_ name: String) -> Bool {
        (1...249).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    private static func parts(_ replacement: String) -> [Part] {
        var parts: [Part] = []
        var rest = replacement[...]
        while let dollar = rest.firstIndex(of: "$") {
            parts.append(.text(String(rest[..<dollar])))
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "{", let end = rest.firstIndex(of: "}") {
                let name = String(rest[rest.index(after: rest.startIndex)..<end])
                parts.append(Int(name).map { .number($0) } ?? .name(name))
                rest = rest[rest.index(after: end)...]
            } else if let digit = rest.first?.wholeNumberValue {
                parts.append(.number(digit))
                rest = rest.dropFirst()
            } else {
                parts.append(.text("$"))
            }
        }
        return parts + [.text(String(rest))]
    }
}
