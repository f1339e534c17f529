import ConnectorSDK
import PipelineEngine

/// The `tests:` block: records that go in and what must come out.
extension PipelineReader {
    private static let caseKeys = ["name", "connector", "input", "output", "rejected"]
    private static let recordKeys = ["key", "value", "headers"]

    internal mutating func readTests(_ section: YAMLEntry) {
        guard case .list(let cases) = section.value.content else {
            if section.value.isNull { return }
            return report(
                section.value.mark,
                "tests",
                "must be a list of cases, but \(section.value.kind) was found"
            )
        }
        for (index, node) in cases.enumerated() {
            guard case .map(let entries) = node.content else {
                report(node.mark, "tests", "a case is a map, but \(node.kind) was found")
                continue
            }
            readCase(entries, at: node.mark, number: index + 1)
        }
    }

    private mutating func readCase(_ entries: [YAMLEntry], at mark: Mark, number: Int) {
        let path = "tests[\(number)]"
        let known = checkKeys(entries, Self.caseKeys, path)
        var test = PipelineTest(
            name: known["name"].flatMap { text($0, "\(path).name") } ?? "test \(number)",
            connector: known["connector"].flatMap { text($0, "\(path).connector") } ?? "",
            input: known["input"].map { records($0, "\(path).input") } ?? [],
            expected: known["output"].map { records($0, "\(path).output") } ?? []
        )
        if let rejected = known["rejected"], let count = text(rejected, "\(path).rejected") {
            guard let number = Int(count), number >= 0 else {
                return report(
                    rejected.value.mark,
                    "\(path).rejected",
                    "must be the number of records rejected"
                )
            }
            test.rejected = number
        }
        for key in ["connector", "input", "output"] where known[key] == nil {
            return report(mark, "\(path).\(key)", "is required")
        }
        let names = definition.connectors.map(\.name)
        guard names.contains(test.connector) else {
            return report(
                known["connector"]?.value.mark,
                "\(path).connector",
                "there is no source or sink `\(test.connector)` in this file",
                suggestion: Spelling.nearest(to: test.connector, in: names)
            )
        }
        append(test)
    }

    private mutating func records(_ entry: YAMLEntry, _ path: String) -> [PipelineTest.Record] {
        guard case .list(let items) = entry.value.content else {
            report(entry.value.mark, path, "must be a list of records, such as `- value: {id: 1}`")
            return []
        }
        return items.enumerated().compactMap { index, node in
            record(node, "\(path)[\(index + 1)]")
        }
    }

    private mutating func record(_ node: YAMLNode, _ path: String) -> PipelineTest.Record? {
        guard case .map(let entries) = node.content, entries.contains(where: { $0.key == "value" })
        else {
            report(node.mark, path, "a record needs `value`, such as `value: {id: 1}`")
            return nil
        }
        let known = checkKeys(entries, Self.recordKeys, path)
        var record = PipelineTest.Record(
            key: known["key"].flatMap { JSONRendering.payload($0.value) },
            value: known["value"].flatMap { JSONRendering.payload($0.value) }
        )
        guard let headers = known["headers"] else { return record }
        for header in members(
            of: YAMLEntry(key: "\(path).headers", mark: headers.mark, value: headers.value)
        ) {
            if let value = text(header, "\(path).headers.\(header.key)") {
                record.headers.append(.init(key: header.key, value: value))
            }
        }
        return record
    }

    private mutating func checkKeys(
        _ entries: [YAMLEntry],
        _ known: [String],
        _ path: String
    ) -> [String: YAMLEntry] {
        var result: [String: YAMLEntry] = [:]
        for entry in entries {
            guard known.contains(entry.key) else {
                report(
                    entry.mark,
                    "\(path).\(entry.key)",
                    "is not a known key; the keys here are \(known.joined(separator: ", "))",
                    suggestion: Spelling.nearest(to: entry.key, in: known)
                )
                continue
            }
            result[entry.key] = entry
        }
        return result
    }

    private mutating func text(_ entry: YAMLEntry, _ path: String) -> String? {
        guard case .scalar(let text, _) = entry.value.content, !entry.value.isNull else {
            report(
                entry.value.mark,
                path,
                "must be a single value, but \(entry.value.kind) was found"
            )
            return nil
        }
        return text
    }
}
