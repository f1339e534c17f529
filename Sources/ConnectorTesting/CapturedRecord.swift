public import ConnectorSDK

/// A copy of one record, for comparing.
public struct CapturedRecord: Hashable, Sendable {
    /// One field and its value.
    public struct Field: Hashable, Sendable {
        /// The field's name; empty for an opaque value.
        public var name: String
        /// Its value.
        public var value: Value

        /// Makes a field.
        public init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }
    }

    /// One header.
    public struct Header: Hashable, Sendable {
        /// The header's name.
        public var key: String
        /// Its value, or `nil` for none.
        public var value: [UInt8]?

        /// Makes a header.
        public init(_ key: String, _ value: [UInt8]?) {
            self.key = key
            self.value = value
        }
    }

    /// The topic.
    public var topic: String
    /// The fields that are there, in order; absent ones are left out.
    public var fields: [Field]
    /// The key's fields, or `nil` for no key.
    public var key: [Field]?
    /// The headers, in order.
    public var headers: [Header]
    /// Milliseconds since the epoch, or `RecordMetadata.noTimestamp`.
    public var timestamp: Int64
    /// The byte offset in the source, or -1.
    public var offset: Int64
    /// The line or row number in the source, or 0.
    public var line: Int64
    /// Whether it is a tombstone.
    public var isTombstone: Bool

    /// Copies a row out of a batch.
    public init(_ batch: RecordBatch, row: Int) {
        let metadata = batch[metadata: row]
        topic = batch.topic
        fields = Self.fields(batch.schema, batch.row(row))
        key = batch.keySchema.flatMap { schema in
            batch.keyRow(row).map { Self.fields(schema, $0) }
        }
        headers = Self.headers(metadata)
        timestamp = metadata.timestamp
        offset = metadata.offset
        line = metadata.line
        isTombstone = metadata.isTombstone
    }

    /// Copies all rows out of a batch.
    public static func all(of batch: RecordBatch) -> [Self] {
        batch.indices.map { Self(batch, row: $0) }
    }

    /// The value of a named field; missing when it is not there.
    public subscript(name: String) -> Value {
        fields.first { $0.name == name }?.value ?? .missing
    }

    /// The text of an opaque value or of the only field; `nil` when it is no text or bytes.
    public var text: String? {
        guard fields.count == 1 else { return nil }
        switch fields[0].value {
        case .string(let text): return text
        case .bytes(let bytes): return String(decoding: bytes, as: UTF8.self)
        default: return nil
        }
    }

    private static func fields(
        _ schema: Schema,
        _ cells: UnsafeMutablePointer<Cell>
    ) -> [Field] {
        schema.names.enumerated().compactMap { column, name in
            let value = Value(cells[column])
            return value == .missing ? nil : Field(name, value)
        }
    }

    private static func headers(_ metadata: RecordMetadata) -> [Header] {
        var rest = metadata.headers[...]
        var headers: [Header] = []
        for _ in 0..<metadata.headerCount {
            guard let key = takeBytes(&rest) else { break }
            headers.append(Header(String(decoding: key, as: UTF8.self), takeBytes(&rest)))
        }
        return headers
    }

    /// Takes a zig-zag length and as many bytes; `nil` for a negative length or a torn header.
    private static func takeBytes(_ rest: inout Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = rest.popFirst() {
            number |= UInt64(byte & 0x7f) &<< shift
            shift += 7
            if byte < 0x80 || shift > 56 { break }
        }
        let count = Int(bitPattern: UInt(number >> 1)) ^ -Int(bitPattern: UInt(number & 1))
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}
