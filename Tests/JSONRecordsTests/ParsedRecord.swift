import ConnectorSDK
import JSONRecords

/// What a parser made of one text, behind which hostile bytes lie.
struct ParsedRecord: Equatable {
    struct Field: Equatable {
        var name: String
        var value: Value
    }

    var fields: [Field] = []
    var error: JSONSyntaxError?
    var isConflict = false

    /// Parses texts one after the other into one batch, and describes the last.
    init(_ texts: [[UInt8]], padding: String = "\",1}]0e+.,:{[", with parser: JSONRecordParser) {
        let batch = RecordBatch()
        parser.begin(batch)
        for text in texts {
            let chunk = Self.chunk(text, padding: padding)
            batch.retain(chunk)
            let bytes = UnsafeRawBufferPointer(start: chunk.base, count: text.count)
            error = nil
            isConflict = false
            switch parser.append(bytes, to: batch) {
            case .parsed: break
            case .conflict: isConflict = true
            case .invalid(let found): error = found
            }
        }
        guard error == nil, !isConflict, batch.count > 0 else { return }
        fields = Self.fields(of: batch, row: batch.count - 1)
    }

    init(_ text: String, with parser: JSONRecordParser = JSONRecordParser()) {
        self.init([Array(text.utf8)], with: parser)
    }

    static func fields(of batch: RecordBatch, row: Int) -> [Field] {
        batch.schema.names.enumerated().compactMap { column, name in
            let value = Value(batch[row, column])
            return value == .missing ? nil : Field(name: name, value: value)
        }
    }

    /// A chunk that ends with the text, so that what is read behind it is the padding.
    private static func chunk(_ text: [UInt8], padding: String) -> Chunk {
        let chunk = Chunk(capacity: max(text.count, 1))
        for (index, byte) in text.enumerated() {
            chunk.base.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
        }
        let filler = Array(padding.utf8)
        for index in 0..<Chunk.padding where !filler.isEmpty {
            chunk.base.storeBytes(
                of: filler[index % filler.count],
                toByteOffset: text.count + index,
                as: UInt8.self
            )
        }
        return chunk
    }
}

extension ParsedRecord.Field {
    init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}
