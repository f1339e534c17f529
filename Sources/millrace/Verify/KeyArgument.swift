import ArgumentParser
import ConnectorSDK
import JSONRecords

/// A key as a user writes it: `17`, `abc`, or `{"region":"eu","id":17}` as `verify` shows it.
struct KeyArgument: ExpressibleByArgument {
    private enum Form {
        case value(Value)
        case fields([String: Value])
    }

    private let form: Form

    init?(argument: String) {
        guard argument.utf8.first == UInt8(ascii: "{") else {
            var text = argument
            form = .value(
                text.withUTF8 { utf8 in
                    NumberText.parse(UnsafeRawBufferPointer(utf8)).map { Value($0) }
                        ?? .string(argument)
                }
            )
            return
        }
        let batch = RecordBatch()
        let bytes = Array(argument.utf8)
        let chunk = Chunk(copying: bytes)
        batch.retain(chunk)
        let parser = JSONRecordParser()
        parser.begin(batch)
        let text = UnsafeRawBufferPointer(start: chunk.base, count: bytes.count)
        guard parser.append(text, to: batch) == .parsed else { return nil }
        form = .fields(
            Dictionary(
                batch.schema.names.map { ($0, batch.value(0, $0)) },
                uniquingKeysWith: { _, last in last }
            )
        )
    }

    /// The values of a key's columns, in their order.
    func values(of columns: [String]) throws -> [Value] {
        switch form {
        case .value(let value):
            guard columns.count == 1 else {
                throw Failure.usage(
                    "The key has the columns \(columns.joined(separator: ", ")).",
                    hint: "Write it as a JSON object, as `verify` shows keys."
                )
            }
            return [value]
        case .fields(let fields):
            return try columns.map { column in
                guard let value = fields[column] else {
                    throw Failure.usage("The key lacks the column `\(column)`.")
                }
                return value
            }
        }
    }
}
