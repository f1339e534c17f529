public import ConnectorSDK
public import RegularExpressions

/// Takes lines apart by a regular expression's groups.
public final class PatternLineParser: LineParser {
    public let fields: LineFields
    private let matcher: PatternMatcher
    /// The groups and the field of each; of groups of one field the first that took part counts.
    private let groups: [(number: Int, field: Int)]

    /// Makes a parser that has the named groups of an expression as fields.
    public convenience init(_ expression: RegularExpression) {
        self.init(expression, fields: expression.namedGroups.map { ($0.number, $0.name) })
    }

    /// Makes a parser of groups whose fields may be named alike.
    public init(_ expression: RegularExpression, fields names: [(group: Int, name: String)]) {
        matcher = PatternMatcher(expression)
        var known: [String] = []
        var groups: [(number: Int, field: Int)] = []
        for (group, name) in names {
            let field = known.firstIndex(of: name) ?? known.count
            if field == known.count { known.append(name) }
            groups.append((group, field))
        }
        self.groups = groups
        fields = LineFields(known.map { Field($0, .string) })
    }

    public func parse(_ line: UnsafeRawBufferPointer, in batch: RecordBatch) -> LineProblem? {
        do throws(MatchFailure) {
            guard try matcher.match(line) else {
                return LineProblem("the pattern does not match", at: 0)
            }
        } catch {
            return LineProblem("the pattern takes too many steps on this line", at: 0)
        }
        let cells = fields.cells
        for index in 0..<fields.count { cells[index] = .null }
        for (number, field) in groups where cells[field].tag == .null {
            guard let range = matcher.range(of: number) else { continue }
            cells[field] = .slice(.string, UnsafeRawBufferPointer(rebasing: line[range]))
        }
        return nil
    }
}
