internal import ConnectorSDK

/// Says in words how what came out differs from what was expected.
struct TestComparison {
    /// A record as far as it is compared: what it says, not how it is spaced.
    struct Record: Equatable {
        var key: [String: Value]?
        var fields: [String: Value]?
        var headers: [PipelineTest.Header]
    }

    var expected: [Record]
    var actual: [Record]
    var expectedRejections: Int
    var rejections: [String]

    var problems: [String] {
        var problems: [String] = []
        if rejections.count != expectedRejections {
            let reasons = rejections.isEmpty ? "" : ": " + rejections.joined(separator: "; ")
            problems.append(
                "\(rejections.count) records were rejected, expected \(expectedRejections)"
                    + reasons
            )
        }
        if expected.count != actual.count {
            problems.append("\(actual.count) records came out, expected \(expected.count)")
        }
        for (index, pair) in zip(expected, actual).enumerated() {
            problems += differences(pair.0, pair.1).map { "record \(index + 1): \($0)" }
        }
        return problems
    }

    private func differences(_ expected: Record, _ actual: Record) -> [String] {
        var found = differences("key", expected.key, actual.key)
        found += differences("value", expected.fields, actual.fields)
        // Headers that a test does not mention are not its subject.
        if !expected.headers.isEmpty, expected.headers != actual.headers {
            found.append("the headers are \(actual.headers), expected \(expected.headers)")
        }
        return found
    }

    private func differences(
        _ part: String,
        _ expected: [String: Value]?,
        _ actual: [String: Value]?
    ) -> [String] {
        switch (expected, actual) {
        case (nil, nil):
            return []
        case (nil, .some):
            // A test that names no key says nothing of it; a null value is a tombstone.
            return part == "key" ? [] : ["the value is not null"]
        case (.some, nil):
            return ["the \(part) is null"]
        case (let expected?, let actual?):
            return Set(expected.keys).union(actual.keys).sorted().compactMap { name in
                let left = expected[name] ?? .missing, right = actual[name] ?? .missing
                guard left != right else { return nil }
                let field = name.isEmpty ? "the \(part)" : "\(part) field `\(name)`"
                return "\(field) is \(Self.text(right)), expected \(Self.text(left))"
            }
        }
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .missing: "absent"
        case .null: "null"
        case .bool(let value): String(value)
        case .int(let value): String(value)
        case .double(let value): String(value)
        case .decimal(let text), .json(let text): text
        case .string(let text): "\"\(text)\""
        default: "\(value)"
        }
    }
}

/// JSON text without the spaces that mean nothing.
enum JSONSpacing {
    static func removed(from text: String) -> String {
        var result: [UInt8] = []
        var isInString = false, isEscaped = false
        for byte in text.utf8 {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                isInString = true
            } else if byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d {
                continue
            }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
