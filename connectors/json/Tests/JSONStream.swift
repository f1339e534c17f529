import ConnectorSDK
import JSONFormat

/// What was read out of a stream.
struct StreamContents: Equatable {
    struct Record: Equatable {
        var text: String
        var byte: Int64
        var line: Int64
    }

    var records: [Record] = []
    var rejected: [Record] = []
    var failure: String?
    var positions: [ReaderPosition] = []
    var schemas: [[String]] = []

    var texts: [String] { records.map(\.text) }
}

/// Reads and writes streams through the format.
enum JSONStream {
    /// Reads a stream that comes in pieces of `piece` bytes, through windows of `window` bytes.
    static func read(
        _ bytes: [UInt8],
        _ values: [String: String] = [:],
        from start: ReaderPosition? = nil,
        piece: Int = 1 << 20,
        window: Int = 1 << 16,
        keepsText: Bool = true
    ) throws -> StreamContents {
        let format = try JSONFormat(configuration: Configuration(values))
        let reader = try format.makeReader(at: start)
        var at = reader.startsAtByte ? Int(start?.byte ?? 0) : 0
        let input = ByteInput(offset: Int64(at), chunkSize: window) { room in
            let count = min(room.count, piece, bytes.count - at)
            room.copyBytes(from: bytes[at..<(at + count)])
            at += count
            return count
        }
        var contents = StreamContents()
        while true {
            let batch = RecordBatch()
            batch.reset(topic: "t")
            var goesOn = false
            var failure: ConnectorError?
            do throws(ConnectorError) {
                goesOn = try reader.read(input, into: batch)
            } catch {
                failure = error
            }
            try contents.add(batch, keepsText: keepsText)
            contents.positions.append(reader.position)
            if let failure {
                contents.failure = failure.message
                return contents
            }
            if !goesOn { return contents }
        }
    }

    static func read(_ text: String, _ values: [String: String] = [:]) throws -> StreamContents {
        try read(Array(text.utf8), values)
    }

    /// Writes a batch, or rather what the writer of a file would get.
    static func write(_ batches: [RecordBatch], _ values: [String: String] = [:]) throws -> String {
        let writer = try JSONFormat(configuration: Configuration(values)).makeWriter()
        let output = OutputBuffer(capacity: 1)
        if let first = batches.first { try writer.begin(first, into: output) }
        for batch in batches { try writer.write(batch, rows: batch.indices, into: output) }
        try writer.end(into: output)
        return String(decoding: output.bytes, as: UTF8.self)
    }
}

extension StreamContents {
    fileprivate mutating func add(_ batch: RecordBatch, keepsText: Bool) throws {
        for row in batch.indices {
            let metadata = batch[metadata: row]
            let raw = String(decoding: metadata.raw, as: UTF8.self)
            records.append(
                Record(
                    text: keepsText ? raw : "",
                    byte: metadata.offset,
                    line: metadata.line
                )
            )
        }
        for rejection in batch.takeRejections() {
            rejected.append(
                Record(
                    text: String(decoding: rejection.value, as: UTF8.self),
                    byte: rejection.offset,
                    line: rejection.line
                )
            )
        }
        if batch.count > 0 { schemas.append(batch.schema.names) }
    }
}
