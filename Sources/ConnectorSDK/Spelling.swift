/// Finds the name that a misspelt one was meant to be.
public enum Spelling {
    /// The nearest of `names`, or `nil` when none is near.
    ///
    /// At most a third of the letters differ, or nothing but capitals and small letters. Of a name
    /// with dots, parts may be left out: `token` is near `auth.bearer.tokens`.
    public static func nearest(to word: String, in names: [String]) -> String? {
        let small = word.lowercased()
        if let same = names.first(where: { $0.lowercased() == small }) { return same }
        let limit = max(1, word.count / 3)
        return names.map { ($0, distance(word, $0)) }
            .filter { $0.1 <= limit }
            .min { $0.1 < $1.1 }?.0 ?? nearestParts(to: small, in: names)
    }

    // Shorter ones are near to too much.
    private static let shortestPart = 4

    /// The name that has parts near to all parts of a word, in their order.
    private static func nearestParts(to word: String, in names: [String]) -> String? {
        let parts = word.split(separator: ".").map(String.init)
        guard let longest = parts.map(\.count).max(), longest >= shortestPart else { return nil }
        var best: (name: String, cost: [Int])?
        for name in names where name.contains(".") {
            let others = name.lowercased().split(separator: ".").map(String.init)
            guard let distance = distance(parts[...], others[...]) else { continue }
            // Of those that are as near, the one that says least beside it.
            let cost = [distance, others.count - parts.count]
            if best.map({ cost.lexicographicallyPrecedes($0.cost) }) ?? true { best = (name, cost) }
        }
        return best?.name
    }

    /// The edits that make parts of a name of the parts of a word; `nil` when they are too many.
    private static func distance(
        _ parts: ArraySlice<String>,
        _ others: ArraySlice<String>
    ) -> Int? {
        guard let part = parts.first else { return 0 }
        guard parts.count <= others.count, let other = others.first else { return nil }
        var best = distance(parts, others.dropFirst())
        let here = distance(part, other)
        if here <= part.count / 3, let rest = distance(parts.dropFirst(), others.dropFirst()) {
            best = min(best ?? .max, here + rest)
        }
        return best
    }

    /// The edits from one word to the other: letters changed, left out, put in, or two swapped.
    internal static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left), right = Array(right)
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var current = [i + 1]
            for (j, b) in right.enumerated() {
                var best = min(previous[j] + (a == b ? 0 : 1), previous[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, a == right[j - 1], left[i - 1] == b {
                    best = min(best, beforePrevious[j - 1] + 1)
                }
                current.append(best)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
