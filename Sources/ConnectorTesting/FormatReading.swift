public import ConnectorSDK

/// What a reader made of some bytes.
public struct FormatReading {
    /// The records, in order.
    public private(set) var records: [CapturedRecord] = []
    /// The text of each record as it arrived; empty where the reader does not say.
    public private(set) var texts: [[UInt8]] = []
    /// What could not be read, in order.
    public private(set) var rejections: [RejectedRecord] = []
    /// The reader's position behind each batch.
    public private(set) var positions: [ReaderPosition] = []
    /// The number of records up to each of ``positions``.
    public private(set) var counts: [Int] = []
    /// What the reader says is needed to read one of the records by itself.
    public private(set) var recordContext: String?
    /// The error that ended the reading, if errors are tolerated.
    public private(set) var error: ConnectorError?

    /// Reads all of `bytes`, from a position if there is one.
    ///
    /// `pieces` bytes arrive at a time. With `toleratesErrors` an error ends the reading and is
    /// kept in ``error``.
    public init(
        _ format: any RecordFormat,
        _ bytes: [UInt8],
        from position: ReaderPosition? = nil,
        pieces: Int = .max,
        toleratesErrors: Bool = false
    ) throws(ConnectorError) {
        let reader = try format.makeReader(at: position)
        let skipped = reader.startsAtByte ? min(Int(position?.byte ?? 0), bytes.count) : 0
        let input = Self.input(bytes[skipped...], offset: Int64(skipped), pieces: pieces)
        try read(input, with: reader, toleratesErrors)
    }

    /// Reads a text that is one record by itself.
    public init(
        _ format: any RecordFormat,
        record text: [UInt8],
        context: String?
    ) throws(ConnectorError) {
        let reader = try format.makeReader(ofRecord: context)
        try read(Self.input(text), with: reader, false)
    }

    private mutating func read(
        _ input: ByteInput,
        with reader: any RecordReader,
        _ toleratesErrors: Bool
    ) throws(ConnectorError) {
        var more = true
        while more {
            let batch = RecordBatch()
            batch.reset(topic: "test")
            do throws(ConnectorError) {
                more = try reader.read(input, into: batch)
            } catch {
                guard toleratesErrors else { throw error }
                self.error = error
                more = false
            }
            records += CapturedRecord.all(of: batch)
            texts += batch.indices.map { Array(batch[metadata: $0].raw) }
            rejections += batch.takeRejections()
            positions.append(reader.position)
            counts.append(records.count)
        }
        recordContext = reader.recordContext
    }

    /// Makes an input of bytes that arrive `pieces` at a time.
    public static func input(
        _ bytes: some Collection<UInt8>,
        offset: Int64 = 0,
        pieces: Int = .max
    ) -> ByteInput {
        var rest = Array(bytes)[...]
        return ByteInput(offset: offset) { room throws(ConnectorError) in
            let count = min(room.count, pieces, rest.count)
            room.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
    }

    /// Reads `bytes` into one batch and writes it, so many rows at a time.
    ///
    /// The input should have no more records than a batch.
    public static func rewrite(
        _ format: any RecordFormat,
        _ bytes: [UInt8],
        rowsAtATime: Int
    ) throws(ConnectorError) -> [UInt8] {
        let batch = RecordBatch()
        batch.reset(topic: "test")
        _ = try format.makeReader(at: nil).read(input(bytes), into: batch)
        let writer = try format.makeWriter()
        let output = OutputBuffer(capacity: 64)
        try writer.begin(batch, into: output)
        var row = 0
        while row < batch.count {
            let next = row + min(rowsAtATime, batch.count - row)
            try writer.write(batch, rows: row..<next, into: output)
            row = next
        }
        try writer.end(into: output)
        return Array(output.bytes)
    }
}
