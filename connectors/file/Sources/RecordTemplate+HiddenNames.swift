internal import FileSystem
internal import RecordTemplates

extension RecordTemplate {
    /// A glob pattern that matches whatever files with names of this shape there can be, their
    /// names changed to `.<name><suffix>`.
    func pattern(forHiddenNamesEndingWith suffix: String) -> String {
        var text = ""
        for piece in pieces {
            switch piece {
            case .text(let literal): text += GlobPattern.escaped(literal)
            case .timestamp(let pattern):
                text += "*" + String(repeating: "/*", count: pattern.slashCount)
            case .topic, .table, .partition, .field: text += "*"
            }
        }
        let end = ".*" + GlobPattern.escaped(suffix)
        guard let slash = text.lastIndex(of: "/") else { return end }
        return text[...slash] + end
    }
}
