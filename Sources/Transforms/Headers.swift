public import ConnectorSDK
internal import RecordFields

/// Adds a header to every record.
public final class InsertHeader: Transform {
    public static let name = "InsertHeader"
    public static let className: String? = connectPackage + "InsertHeader"
    public static let summary = "Adds a header with a constant value to every record."
    public static let configuration = ConfigSpec().with(headerKey).with(valueKey)

    private static let headerKey = ConfigKey<String>.required(
        "header",
        help: "The header's name. Others of that name stay."
    )
    private static let valueKey = ConfigKey<String?>.optional(
        "value.literal",
        importance: .high,
        help: "The value, required. The word `null` stands for none."
    )

    /// The header as ``RecordMetadata/headers`` holds it.
    private let header: OutputBuffer
    private let output = OutputBuffer(capacity: 1 << 10)

    public init(configuration: Configuration) throws(ConnectorError) {
        var name = try configuration.get(Self.headerKey)
        guard var value = try configuration.get(Self.valueKey) else {
            throw .invalid("value.literal", "A value is required.")
        }
        let header = OutputBuffer(capacity: name.utf8.count + value.utf8.count + 16)
        name.withUTF8 { name in
            value.withUTF8 { value in
                let isNull = value.elementsEqual("null".utf8)
                HeaderWriter.append(
                    UnsafeRawBufferPointer(name),
                    isNull ? nil : UnsafeRawBufferPointer(value),
                    to: header
                )
            }
        }
        self.header = header
    }

    /// Fields stay as they are.
    public func trace(_ outline: inout RecordOutline) {}

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        // Records without headers share one copy.
        let alone = batch.arena.copy(header.bytes)
        for row in batch.indices {
            let metadata = batch.metadata(row)
            if metadata.pointee.headerCount == 0 {
                metadata.pointee.headers = alone
            } else {
                output.count = 0
                output.append(metadata.pointee.headers)
                output.append(header.bytes)
                metadata.pointee.headers = batch.arena.copy(output.bytes)
            }
            metadata.pointee.headerCount += 1
        }
    }
}

/// Takes headers out of records.
public final class DropHeaders: Transform {
    public static let name = "DropHeaders"
    public static let className: String? = connectPackage + "DropHeaders"
    public static let summary = "Takes headers out of records."
    public static let configuration = ConfigSpec().with(headersKey)

    private static let headersKey = ConfigKey<[String]>.list(
        "headers",
        isRequired: true,
        importance: .high,
        help: "The names of the headers, of which all go."
    )

    private let names: NestedNames
    private let output = OutputBuffer(capacity: 1 << 10)

    public init(configuration: Configuration) throws(ConnectorError) {
        names = NestedNames(try configuration.get(Self.headersKey))
    }

    /// Fields stay as they are.
    public func trace(_ outline: inout RecordOutline) {}

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        for row in batch.indices {
            let metadata = batch.metadata(row)
            if metadata.pointee.headerCount > 0 { drop(metadata, in: batch) }
        }
    }

    private func drop(_ metadata: UnsafeMutablePointer<RecordMetadata>, in batch: RecordBatch) {
        let bytes = metadata.pointee.headers
        var reader = HeaderReader(bytes: bytes)
        output.count = 0
        var kept: UInt32 = 0
        for _ in 0..<metadata.pointee.headerCount {
            let start = reader.offset
            guard let key = reader.next(), reader.next() != nil else { return }
            if (0..<names.count).contains(where: { names[$0].elementsEqual(key) }) { continue }
            output.append(UnsafeRawBufferPointer(rebasing: bytes[start..<reader.offset]))
            kept += 1
        }
        guard kept < metadata.pointee.headerCount else { return }
        metadata.pointee.headers =
            kept == 0
            ? UnsafeRawBufferPointer(start: nil, count: 0) : batch.arena.copy(output.bytes)
        metadata.pointee.headerCount = kept
    }
}
