internal import ConnectorSDK

/// What a reader made of some bytes: it does not depend on the pieces in which they came.
///
/// Every byte that a slice claims is read, so that the address sanitizer sees it.
struct FuzzReading: Equatable {
    var rows: [[String: Value]] = []
    /// The records as they arrived.
    var texts: [[UInt8]] = []
    var rejections: [String] = []
    var error: String?

    init(_ format: any RecordFormat, _ bytes: ArraySlice<UInt8>, pieces: Int) {
        var rest = bytes
        let input = ByteInput(chunkSize: 256) { room throws(ConnectorError) in
            let count = min(room.count, pieces, rest.count)
            room.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
        let batch = RecordBatch()
        do throws(ConnectorError) {
            let reader = try format.makeReader(at: nil)
            var more = true
            while more {
                batch.reset(topic: "t")
                more = try reader.read(input, into: batch)
                precondition(!more || batch.count + batch.rejections.count > 0, "Nothing was read.")
                collect(batch)
            }
        } catch {
            collect(batch)
            self.error = error.code.rawValue
        }
        rejections.sort()
    }

    private mutating func collect(_ batch: RecordBatch) {
        for row in batch.indices {
            texts.append(Array(batch[metadata: row].raw))
            var fields: [String: Value] = [:]
            for (column, name) in batch.schema.names.enumerated() {
                let value = Value(batch[row, column])
                if value != .missing { fields[name] = value }
            }
            rows.append(fields)
        }
        rejections += batch.takeRejections().map {
            "\($0.offset) \($0.line) \($0.error.message)"
        }
    }
}

/// Reads `bytes`, writes the records and reads what was written; the records must be the same.
func checkRoundTrip(_ format: any RecordFormat, _ bytes: ArraySlice<UInt8>) {
    var rest = bytes
    let input = ByteInput { room throws(ConnectorError) in
        let count = min(room.count, rest.count)
        room.copyBytes(from: rest.prefix(count))
        rest = rest.dropFirst(count)
        return count
    }
    let batch = RecordBatch()
    batch.reset(topic: "t")
    let output = OutputBuffer(capacity: 16)
    do {
        guard try format.makeReader(at: nil).read(input, into: batch), batch.count > 0 else {
            return
        }
        let writer = try format.makeWriter()
        try writer.begin(batch, into: output)
        try writer.write(batch, rows: batch.indices, into: output)
        try writer.end(into: output)
    } catch {
        // Not every record can be written in every dialect.
        return
    }
    let wanted = FuzzReading(format, bytes, pieces: .max)
    let again = FuzzReading(format, Array(output.bytes)[...], pieces: .max)
    precondition(again.error == nil && again.rejections.isEmpty, "What was written is not read.")
    precondition(again.rows == Array(wanted.rows.prefix(batch.count)), "Records changed.")
}
