public import ConnectorSDK

extension TableSinkSettings {
    /// The name of the table that the rows of a captured table go to, by way of a topic.
    ///
    /// - Throws: when the database cannot have such a name, or when it depends on the records.
    public func tableName(
        ofTable table: String,
        inTopic topic: String
    ) throws(ConnectorError) -> String {
        let batch = RecordBatch()
        batch.reset(topic: topic, schema: Schema([Field]()))
        batch.appendRow()
        batch.metadata(0).pointee.partition = 0
        let header = Self.header(CapturedChangeHeader.table, Array(table.utf8))
        let chunk = Chunk(copying: header)
        batch.retain(chunk)
        batch.metadata(0).pointee.headers = UnsafeRawBufferPointer(
            start: chunk.base,
            count: header.count
        )
        batch.metadata(0).pointee.headerCount = 1
        var router = TableRouter(self)
        guard let part = try router.parts(of: batch).first else {
            throw .invalid("table.name.format", "The table's name depends on the records.")
        }
        return part.table
    }

    private static func header(_ key: StaticString, _ value: [UInt8]) -> [UInt8] {
        let name = UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        return length(name.count) + name + length(value.count) + value
    }

    /// A length in Kafka's encoding: zig-zag, seven bits in each byte.
    private static func length(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = count << 1
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(truncatingIfNeeded: rest)]
    }
}
