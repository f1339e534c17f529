/// Names of elements from the outside in, such as `/orders/order`.
struct XMLPath: Sendable, Equatable {
    /// A name, or `nil` for any.
    typealias Step = String?

    /// The root element, whatever it is called.
    static let root = Self(steps: [nil], isAnchored: true)

    let steps: [Step]
    /// Whether the first step is the root element, rather than any element.
    let isAnchored: Bool

    /// Reads `/orders/order`, `/*/order` or `//order`.
    init?(_ text: String) {
        guard text.hasPrefix("/") else { return nil }
        let isAnchored = !text.hasPrefix("//")
        self.init(text.dropFirst(isAnchored ? 1 : 2), isAnchored: isAnchored)
    }

    /// Reads what ``init(_:)`` reads, and paths that may begin anywhere: `tag`, `order/tag`.
    init?(element text: String) {
        if text.hasPrefix("/") { self.init(text) } else { self.init(text[...], isAnchored: false) }
    }

    private init?(_ text: Substring, isAnchored: Bool) {
        guard let steps = Self.steps(text) else { return nil }
        self.steps = steps
        self.isAnchored = isAnchored
    }

    private init(steps: some Sequence<Step>, isAnchored: Bool) {
        self.steps = Array(steps)
        self.isAnchored = isAnchored
    }

    private static func steps(_ text: Substring) -> [Step]? {
        let words = text.split(separator: "/", omittingEmptySubsequences: false)
        let isValid = words.allSatisfy { $0 == "*" || XMLNameRules.isName(String($0)) }
        return isValid ? words.map { $0 == "*" ? nil : String($0) } : nil
    }

    /// Whether the path ends at an element of these names, the root's first.
    func matches(_ names: some BidirectionalCollection<String>) -> Bool {
        guard isAnchored ? names.count == steps.count : names.count >= steps.count else {
            return false
        }
        return zip(steps.reversed(), names.reversed()).allSatisfy { $0 == nil || $0 == $1 }
    }
}

extension XMLPath {
    /// The paths that say the same of what is inside `outer` elements, seen from there.
    func seen(inside outer: [String]) -> [XMLPath] {
        guard !outer.isEmpty else { return [self] }
        // So many of the steps lie outside.
        let counts = isAnchored ? outer.count...outer.count : 0...outer.count
        return counts.filter { $0 < steps.count }.compactMap { count in
            guard count > 0 else { return self }
            let fits = zip(steps.prefix(count), outer.suffix(count)).allSatisfy {
                $0 == nil || $0 == $1
            }
            return fits ? XMLPath(steps: steps.dropFirst(count), isAnchored: true) : nil
        }
    }
}

/// What XML calls a name.
enum XMLNameRules {
    /// Whether an element or attribute may be called `text`.
    ///
    /// A prefix is allowed, and whether it is declared is another question.
    static func isName(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { return false }
        return parts.allSatisfy { part in
            guard let first = part.unicodeScalars.first, isNameStart(first) else { return false }
            return part.unicodeScalars.dropFirst().allSatisfy {
                isNameStart($0) || isNameRest($0)
            }
        }
    }

    private static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x41...0x5A, 0x61...0x7A, 0x5F, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2FF,
            0x370...0x37D, 0x37F...0x1FFF, 0x200C...0x200D, 0x2070...0x218F, 0x2C00...0x2FEF,
            0x3001...0xD7FF, 0xF900...0xFDCF, 0xFDF0...0xFFFD, 0x1_0000...0xE_FFFF:
            true
        default: false
        }
    }

    private static func isNameRest(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x2D, 0x2E, 0x30...0x39, 0xB7, 0x300...0x36F, 0x203F...0x2040: true
        default: false
        }
    }
}
