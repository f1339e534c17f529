internal import ConnectorSDK
internal import JSONRecords
internal import RegularExpressions
internal import SyslogMessages
internal import TextParsing

/// The first byte of the input chooses the parser, the rest are lines.
///
/// Whatever a line holds, it is taken apart or refused: texts are UTF-8, nested values JSON, and the
/// place of a problem is in the line. A line means the same whatever is behind it, and whatever
/// came before.
func feedLines(_ input: UnsafeBufferPointer<UInt8>) {
    guard let choice = input.first else { return }
    let lines = input.dropFirst().split(separator: 0x0A, omittingEmptySubsequences: false)
    let first = makeParser(choice), second = makeParser(choice)
    let batch = RecordBatch()
    batch.reset(topic: "t")
    first.begin(batch)
    for line in lines {
        let bytes = Array(line)
        let quiet = chunk(of: bytes, padding: 0)
        batch.retain(quiet)
        let text = UnsafeRawBufferPointer(start: quiet.base, count: bytes.count)
        guard JSONRecordParser.isValidUTF8(text) else { continue }
        let problem = first.parse(text, in: batch)
        if let problem {
            precondition((0...bytes.count).contains(problem.offset), "A place outside of the line.")
        } else {
            check(first.fields)
        }
        // What lies behind the line looks as if it went on.
        let again = RecordBatch()
        again.reset(topic: "t")
        let loud = chunk(of: bytes, padding: bytes.last ?? 0x22)
        again.retain(loud)
        second.begin(again)
        let other = second.parse(
            UnsafeRawBufferPointer(start: loud.base, count: bytes.count),
            in: again
        )
        precondition((other == nil) == (problem == nil), "A line depends on what is around it.")
        if problem == nil {
            precondition(values(first.fields) == values(second.fields), "A line means two things.")
        }
    }
}

private func makeParser(_ choice: UInt8) -> any LineParser {
    switch choice % 8 {
    case 0: return AccessLogParser(.combined)
    case 1: return AccessLogParser(.common)
    case 2: return KeyValueParser()
    case 3: return KeyValueParser(pairDelimiter: ", ", valueDelimiter: ": ")
    case 4: return DelimitedParser(columns: ["a", "b", "c"])
    case 5: return JSONLineParser()
    case 6: return SyslogLineParser(zone: .utc)
    default:
        guard let grok = try? GrokPattern("%{COMBINEDAPACHELOG}|^%{SYSLOGLINE}") else {
            fatalError("The pattern is none.")
        }
        return PatternLineParser(grok.expression, fields: grok.fields)
    }
}

private func chunk(of bytes: [UInt8], padding: UInt8) -> Chunk {
    let chunk = Chunk(capacity: bytes.count)
    for index in 0..<(bytes.count + Chunk.padding) {
        let byte = index < bytes.count ? bytes[index] : padding
        chunk.base.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
    return chunk
}

private func check(_ fields: LineFields) {
    for index in 0..<fields.count {
        let cell = fields.cells[index]
        switch cell.tag {
        case .string:
            precondition(JSONRecordParser.isValidUTF8(cell.slice), "A text is not UTF-8.")
        case .json:
            let text = Chunk(copying: cell.slice)
            precondition(
                JSONText.error(in: UnsafeRawBufferPointer(text.bytes)) == nil,
                "A nested value is not JSON."
            )
        default: break
        }
    }
}

private func values(_ fields: LineFields) -> [String: Value] {
    var result: [String: Value] = [:]
    for (index, field) in fields.names.enumerated() {
        let value = Value(fields.cells[index])
        if value != .missing { result[field.name] = value }
    }
    return result
}
