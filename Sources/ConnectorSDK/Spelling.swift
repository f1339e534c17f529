/// Finds the name that a misspelt one was meant to be.
public enum Spelling {
    /// The nearest of `names`, or `nil` when none is near: at most a third of the letters differ, or
    /// nothing but capitals and small letters.
    public static func nearest(to word: String, in names: [String]) -> String? {
        let small = word.lowercased()
        if let same = names.first(where: { $0.lowercased() == small }) { return same }
        let limit = max(1, word.count / 3)
        return names.map { ($0, distance(word, $0)) }
            .filter { $0.1 <= limit }
            .min { $0.1 < $1.1 }?.0
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
