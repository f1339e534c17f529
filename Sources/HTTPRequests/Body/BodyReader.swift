internal import Compression
public import ConnectorSDK
internal import NIOCore

/// Turns the bodies of requests into batches, on the connector's own thread.
public final class BodyReader {
    // Smaller than the input's usual block, since most bodies are.
    private static let blockSize = 16 << 10
    private static let largestBlock = 256 << 10
    private static let knownForms = 64
    private static let recordCost = MemoryLayout<RecordMetadata>.stride
    private static let cellCost = MemoryLayout<Cell>.stride

    private let longest: Int
    private let outlet: any RecordOutlet
    private let json: any RecordFormat
    private let jsonLines: any RecordFormat
    private let lines: any RecordFormat
    private var formSchemas: [[String]: Schema] = [:]

    /// Makes a reader.
    ///
    /// - Parameters:
    ///   - longest: the most bytes of a body when it is decompressed and taken apart.
    ///   - recordPath: a JSON pointer to the records of JSON documents, or nothing.
    ///   - formats: those that there are.
    ///   - outlet: makes the batches.
    /// - Throws: when there are no such formats, or no such pointer.
    public init(
        longest: Int,
        recordPath: String,
        formats: FormatCatalog,
        outlet: any RecordOutlet
    ) throws(ConnectorError) {
        self.longest = longest
        self.outlet = outlet
        var keys = ["max.record.bytes": String(min(max(longest, 1 << 20), 1 << 30))]
        lines = try formats.make("lines", configuration: Configuration(keys))
        jsonLines = try formats.make(
            "json",
            configuration: Configuration(keys.merging(["json.style": "lines"]) { $1 })
        )
        keys["record.path"] = recordPath.isEmpty ? nil : recordPath
        json = try formats.make("json", configuration: Configuration(keys))
    }

    /// Reads all records of a request; with one that cannot be read none is taken.
    public func batches(of body: RequestBody) throws(BodyRefusal) -> [RecordBatch] {
        var batches: [RecordBatch] = []
        do throws(ConnectorError) {
            let input = try input(of: body)
            switch body.format {
            case .form: batches = [try form(input, body)]
            case .ndjson: batches = try read(jsonLines, input, body)
            case .lines: batches = try read(lines, input, body)
            case .json, .auto: batches = try read(json, input, body)
            }
        } catch {
            throw Self.refusal(error)
        }
        for batch in batches { addHeaders(body.headers, to: batch) }
        return batches
    }

    private func read(
        _ format: any RecordFormat,
        _ input: ByteInput,
        _ body: RequestBody
    ) throws(ConnectorError) -> [RecordBatch] {
        let reader = try format.makeReader(at: nil)
        var batches: [RecordBatch] = []
        var isMore = true
        var memory = 0
        while isMore {
            let batch = outlet.makeBatch(topic: body.topic, schema: .opaque)
            isMore = try reader.read(input, into: batch)
            memory += batch.count * (Self.recordCost + batch.schema.count * Self.cellCost)
            // D7: all records of a request are one commit, and all in memory before it.
            guard memory <= longest else { throw .tooLarge(longest) }
            if let rejected = batch.takeRejections().first { throw rejected.inPlace }
            if batch.count > 0 { batches.append(batch) }
        }
        return batches
    }

    private func form(
        _ input: ByteInput,
        _ body: RequestBody
    ) throws(ConnectorError) -> RecordBatch {
        while try input.fill() {}
        do throws(FormBody.Problem) {
            let form = try FormBody(input.window)
            let batch = outlet.makeBatch(topic: body.topic, schema: schema(form.names))
            if !form.names.isEmpty { form.append(to: batch) }
            return batch
        } catch {
            throw .badBody(error.reason, line: 0, byte: Int64(error.byte))
        }
    }

    /// Schemas are recognised by their identity, so equal forms get the same.
    private func schema(_ names: [String]) -> Schema {
        if let known = formSchemas[names] { return known }
        if formSchemas.count >= Self.knownForms { formSchemas.removeAll() }
        let schema = Schema(names)
        formSchemas[names] = schema
        return schema
    }

    // MARK: Decompression

    private func input(of body: RequestBody) throws(ConnectorError) -> ByteInput {
        var rest = body.bytes
        let plain: ByteInput.Source = { room throws(ConnectorError) in
            let count = min(room.count, rest.readableBytes)
            rest.readWithUnsafeReadableBytes { bytes in
                room.copyBytes(from: bytes.prefix(count))
                return count
            }
            return count
        }
        let size = body.bytes.readableBytes + 1
        guard let source = try decompressor(body.encoding, plain) else {
            return ByteInput(chunkSize: min(max(size, 512), Self.largestBlock), source: plain)
        }
        // D7: a bomb is noticed when it has gone off this far.
        let limit = longest
        var total = 0
        return ByteInput(chunkSize: Self.blockSize) { room throws(ConnectorError) in
            let count = try source.read(into: room)
            total += count
            guard total <= limit else { throw .tooLarge(limit) }
            return count
        }
    }

    private func decompressor(
        _ encoding: BodyEncoding,
        _ plain: @escaping ByteInput.Source
    ) throws(ConnectorError) -> (any StreamDecompressor)? {
        switch encoding {
        case .identity: nil
        case .gzip: try GzipDecompressor(reading: plain)
        case .deflate: try GzipDecompressor(reading: plain, wrapper: .zlib)
        case .zstd: try ZstdDecompressor(reading: plain)
        }
    }

    // MARK: Headers

    private func addHeaders(_ headers: [(name: String, value: String)], to batch: RecordBatch) {
        guard !headers.isEmpty else { return }
        let buffer = OutputBuffer(capacity: 1_024)
        for header in headers { HeaderWriter.append(header.name, header.value, to: buffer) }
        let bytes = batch.arena.copy(buffer.bytes)
        for row in batch.indices {
            let metadata = batch.metadata(row)
            metadata.pointee.headers = bytes
            metadata.pointee.headerCount = UInt32(headers.count)
        }
    }

    private static func refusal(_ error: ConnectorError) -> BodyRefusal {
        let place = error.underlying as? BodyPlace
        return BodyRefusal(
            reason: error.message,
            line: place?.line ?? 0,
            byte: place?.byte ?? -1,
            isTooLarge: error.code == .bodyTooLarge
        )
    }
}

/// Where a body is at fault.
private struct BodyPlace: Error {
    var line: Int64
    var byte: Int64
}

extension RejectedRecord {
    /// The reason, with the place.
    fileprivate var inPlace: ConnectorError {
        var copy = error
        copy.underlying = BodyPlace(line: line, byte: offset)
        return copy
    }
}

extension ConnectorError.Code {
    fileprivate static let bodyTooLarge = Self("http.too_large")
}

extension ConnectorError {
    fileprivate static func tooLarge(_ limit: Int) -> Self {
        ConnectorError(
            .bodyTooLarge,
            .rejectRecord,
            "Decompressed and taken apart, a body may have \(limit) bytes "
                + "(max.decompressed.bytes)."
        )
    }

    fileprivate static func badBody(_ reason: String, line: Int64, byte: Int64) -> Self {
        var error = ConnectorError(.init("http.bad_body"), .rejectRecord, reason)
        error.underlying = BodyPlace(line: line, byte: byte)
        return error
    }
}
