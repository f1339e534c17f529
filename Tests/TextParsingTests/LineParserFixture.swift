import ConnectorSDK
import TextParsing

/// Takes lines apart as a transform does, and shows what they have.
final class LineParserFixture {
    let parser: any LineParser
    let batch = RecordBatch()

    init(_ parser: any LineParser) {
        self.parser = parser
        batch.reset(topic: "t")
        parser.begin(batch)
    }

    /// The fields of a line that are not missing, or the problem as `byte: reason`.
    func parse(_ line: String) -> Outcome { parse(Array(line.utf8)) }

    func parse(_ line: [UInt8]) -> Outcome {
        let chunk = Chunk(copying: line)
        batch.retain(chunk)
        if let problem = parser.parse(UnsafeRawBufferPointer(chunk.bytes), in: batch) {
            return Outcome(fields: [:], problem: problem)
        }
        var fields: [String: Value] = [:]
        for (index, field) in parser.fields.names.enumerated() {
            let value = Value(parser.fields.cells[index])
            if value != .missing { fields[field.name] = value }
        }
        return Outcome(fields: fields, problem: nil)
    }

    struct Outcome {
        var fields: [String: Value]
        var problem: LineProblem?

        subscript(name: String) -> Value? { fields[name] }
        var offset: Int? { problem?.offset }
    }
}
