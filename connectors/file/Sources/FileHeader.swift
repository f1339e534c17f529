internal import ConnectorSDK
internal import FileSystem

/// What a record may be told of the file it comes from.
enum FileHeader: String, CaseIterable, Sendable {
    case path = "file.path"
    case name = "file.name"
    case offset = "file.offset"
    case line = "file.line"
    case lastModified = "file.last.modified"
    case length = "file.length"
}

/// Gives records their headers, in Kafka's encoding.
struct FileHeaderWriter {
    private let headers: [FileHeader]
    /// Those that all records of a file share, encoded.
    private var shared: [UInt8] = []
    private var perRecord: [(header: FileHeader, key: [UInt8])] = []

    init(_ headers: [FileHeader], path: String, information: FileInformation) {
        self.headers = headers
        for header in headers {
            let key = Self.sized(Array(header.rawValue.utf8))
            switch header {
            case .path: shared += key + Self.sized(Array(path.utf8))
            case .name: shared += key + Self.sized(Array(FileSystem.name(of: path).utf8))
            case .lastModified:
                let time = TimeText.text(
                    milliseconds: CivilDate.floor(information.modified, 1_000_000)
                )
                shared += key + Self.sized(Array(time.utf8))
            case .length: shared += key + Self.sized(Array(String(information.size).utf8))
            case .offset, .line: perRecord.append((header, key))
            }
        }
    }

    /// Gives every record of a batch its headers.
    func add(to batch: RecordBatch) {
        guard !headers.isEmpty, batch.count > 0 else { return }
        if perRecord.isEmpty {
            // One copy serves all of them.
            let copy = shared.withUnsafeBytes { batch.arena.copy($0) }
            for row in batch.indices { set(copy, row, batch) }
            return
        }
        // A length and up to 20 digits for each.
        let room = shared.count + perRecord.reduce(0) { $0 + $1.key.count + 21 }
        for row in batch.indices {
            let start = batch.arena.allocate(room)
            var count = Self.append(shared, to: start, at: 0)
            let metadata = batch[metadata: row]
            for (header, key) in perRecord {
                count = Self.append(key, to: start, at: count)
                let number = header == .line ? metadata.line : metadata.offset
                count = Self.append(number, to: start, at: count)
            }
            batch.arena.giveBack(room - count)
            set(UnsafeRawBufferPointer(start: start, count: count), row, batch)
        }
    }

    /// Gives a record its headers that could not be read: replayed, it has them like the others.
    func add(to record: inout RejectedRecord) {
        guard !headers.isEmpty else { return }
        record.headers = shared
        for (header, key) in perRecord {
            let number = header == .line ? record.line : record.offset
            record.headers += key + Self.sized(Array(String(number).utf8))
        }
        record.headerCount = headers.count
    }

    private func set(_ bytes: UnsafeRawBufferPointer, _ row: Int, _ batch: RecordBatch) {
        let metadata = batch.metadata(row)
        metadata.pointee.headers = bytes
        metadata.pointee.headerCount = UInt32(headers.count)
    }

    private static func append(
        _ bytes: [UInt8],
        to start: UnsafeMutableRawPointer,
        at place: Int
    ) -> Int {
        bytes.withUnsafeBytes {
            if let base = $0.baseAddress {
                (start + place).copyMemory(from: base, byteCount: $0.count)
            }
        }
        return place + bytes.count
    }

    /// Appends a number in decimal digits behind its length, which takes one byte.
    private static func append(
        _ number: Int64,
        to start: UnsafeMutableRawPointer,
        at place: Int
    ) -> Int {
        var digits = 1
        var rest = number.magnitude
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        let sign = number < 0 ? 1 : 0
        start.storeBytes(of: UInt8((digits + sign) * 2), toByteOffset: place, as: UInt8.self)
        if sign == 1 { start.storeBytes(of: 0x2d, toByteOffset: place + 1, as: UInt8.self) }
        rest = number.magnitude
        for index in stride(from: place + sign + digits, to: place + sign, by: -1) {
            start.storeBytes(of: 0x30 + UInt8(rest % 10), toByteOffset: index, as: UInt8.self)
            rest /= 10
        }
        return place + 1 + sign + digits
    }

    /// The bytes behind their zig-zag length.
    private static func sized(_ bytes: [UInt8]) -> [UInt8] {
        var length = bytes.count * 2
        var result: [UInt8] = []
        while length >= 0x80 {
            result.append(UInt8(length & 0x7f) | 0x80)
            length >>= 7
        }
        return result + [UInt8(length)] + bytes
    }
}
