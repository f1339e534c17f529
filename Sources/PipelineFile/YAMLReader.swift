import Yams

/// Reads one YAML document into nodes that know their place.
///
/// The only file that knows the YAML library.
internal struct YAMLReader {
    /// Values after aliases are expanded.
    ///
    /// A large pipeline file has a few thousand; a few lines of nested aliases have billions.
    private static let maximumNodes = 50_000
    /// Maps within maps; configuration needs about six.
    private static let maximumDepth = 64

    private var nodes = 0

    /// Reads `text`, which must hold exactly one document.
    internal static func read(_ text: String) throws(YAMLProblem) -> YAMLNode {
        if text.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x0A || $0 == 0x0D }) {
            throw YAMLProblem(.start, "the file is empty")
        }
        if let mark = alternatingKey(in: text) {
            throw YAMLProblem(mark, "a key must be a single word; `? ` keys are not supported")
        }
        let root: Node?
        do {
            // Nothing here asks for types, and the rules that tell them cost more than the parsing.
            root = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
        } catch {
            throw explain(error, in: text)
        }
        guard let root else { throw YAMLProblem(.start, "the file holds nothing but comments") }
        var reader = YAMLReader()
        return try reader.convert(root, depth: 0)
    }

    /// Refuses YAML's `? key` form before parsing: nested aliases as keys take for ever to compare.
    private static func alternatingKey(in text: String) -> Mark? {
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let indentation = line.prefix { $0 == " " }.count
            if line.dropFirst(indentation).hasPrefix("? ") {
                return Mark(line: number + 1, column: indentation + 1)
            }
        }
        return nil
    }

    private mutating func convert(_ node: Node, depth: Int) throws(YAMLProblem) -> YAMLNode {
        let mark = Self.mark(node.mark)
        nodes += 1
        guard nodes <= Self.maximumNodes else {
            throw YAMLProblem(
                mark,
                "the file has more than \(Self.maximumNodes) values once aliases are expanded"
            )
        }
        guard depth <= Self.maximumDepth else {
            throw YAMLProblem(mark, "maps and lists are nested more than \(Self.maximumDepth) deep")
        }
        switch node {
        case .scalar(let scalar):
            try checkTag(scalar.tag, mark)
            let isPlain = scalar.style == .plain || scalar.style == .any
            return YAMLNode(content: .scalar(scalar.string, isPlain: isPlain), mark: mark)
        case .sequence(let sequence):
            try checkTag(sequence.tag, mark)
            var items: [YAMLNode] = []
            for item in sequence { items.append(try convert(item, depth: depth + 1)) }
            return YAMLNode(content: .list(items), mark: mark)
        case .mapping(let mapping):
            try checkTag(mapping.tag, mark)
            return YAMLNode(content: .map(try entries(of: mapping, depth: depth)), mark: mark)
        case .alias:
            throw YAMLProblem(mark, "an alias stands for nothing")
        }
    }

    private mutating func entries(
        of mapping: Node.Mapping,
        depth: Int
    ) throws(YAMLProblem) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        var inherited: [YAMLEntry] = []
        var marks: [String: Mark] = [:]
        for (keyNode, valueNode) in mapping {
            let mark = Self.mark(keyNode.mark)
            guard case .scalar(let scalar) = keyNode else {
                throw YAMLProblem(mark, "a key must be a single word, not a list or a map")
            }
            let value = try convert(valueNode, depth: depth + 1)
            if scalar.string == "<<", scalar.style == .plain {
                inherited += try merged(value)
                continue
            }
            if let first = marks.updateValue(mark, forKey: scalar.string) {
                throw Self.duplicate(scalar.string, at: mark, first: first)
            }
            entries.append(YAMLEntry(key: scalar.string, mark: mark, value: value))
        }
        // The map's own keys win over merged ones, and earlier merges over later ones.
        for entry in inherited where marks[entry.key] == nil {
            marks[entry.key] = entry.mark
            entries.append(entry)
        }
        return entries
    }

    private func merged(_ value: YAMLNode) throws(YAMLProblem) -> [YAMLEntry] {
        switch value.content {
        case .map(let entries): return entries
        case .list(let items):
            var result: [YAMLEntry] = []
            for item in items { result += try merged(item) }
            return result
        case .scalar:
            throw YAMLProblem(value.mark, "`<<` takes a map or a list of maps, such as `<<: *base`")
        }
    }

    private func checkTag(_ tag: Tag, _ mark: Mark) throws(YAMLProblem) {
        let name = tag.description
        guard !name.isEmpty, name != Tag.Name.implicit.rawValue else { return }
        guard !name.hasPrefix("tag:yaml.org,2002:"), name != "!" else { return }
        throw YAMLProblem(
            mark,
            "the tag `\(name)` is not supported; references are written ${env:NAME}"
        )
    }

    private static func mark(_ mark: Yams.Mark?) -> Mark {
        mark.map { Mark(line: $0.line, column: $0.column) } ?? .start
    }
}

extension YAMLReader {
    private static func explain(_ error: any Error, in text: String) -> YAMLProblem {
        guard let error = error as? YamlError else {
            return YAMLProblem(nil, "this is not YAML: \(error)")
        }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _):
            return .explaining(problem, at: Self.mark(mark), in: text)
        case .composer(_, let problem, let mark, _):
            if problem.contains("another document") {
                return YAMLProblem(
                    Self.mark(mark),
                    "a second document begins here; put each pipeline into a file of its own"
                )
            }
            return .explaining(problem, at: Self.mark(mark), in: text)
        case .duplicatedKeysInMapping(let keys, let context):
            let first = Self.mark(context.mark)
            let key = keys.first ?? ""
            return duplicate(key, at: second(key, after: first, in: text) ?? first, first: first)
        case .reader(let problem, let offset, _, let text):
            return YAMLProblem(offset.map { place(of: $0, in: text) }, "\(problem) in the text")
        default:
            return YAMLProblem(nil, "this is not YAML: \(error)")
        }
    }

    private static func duplicate(_ key: String, at mark: Mark, first: Mark) -> YAMLProblem {
        YAMLProblem(
            mark,
            "`\(key)` is given twice; the first is at \(first.line):\(first.column)"
        )
    }

    /// The library names the first of two equal keys; in block style the second begins in the
    /// same column of a later line.
    private static func second(_ key: String, after first: Mark, in text: String) -> Mark? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated().dropFirst(first.line) {
            let indentation = line.prefix { $0 == " " }.count
            guard indentation == first.column - 1 else { continue }
            let rest = line.dropFirst(indentation)
            for form in [key, "\"\(key)\"", "'\(key)'"] where rest.hasPrefix(form) {
                let behind = rest.dropFirst(form.count).drop { $0 == " " }
                if behind.first == ":" { return Mark(line: number + 1, column: first.column) }
            }
        }
        return nil
    }

    private static func place(of offset: Int, in text: String) -> Mark {
        let before = text.prefix(offset)
        let line = before.filter { $0.isNewline }.count + 1
        let column = before.reversed().prefix { !$0.isNewline }.count + 1
        return Mark(line: line, column: column)
    }
}
