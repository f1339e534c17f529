import CSVFormat
import ConnectorSDK
import ConnectorTesting
import Testing

/// What a CSV text becomes, in a form that is easy to compare.
struct CSVFile: Equatable {
    /// The records' fields, in order, as `name=value` with the value's type.
    var rows: [String] = []
    /// What was rejected, as `code line byte`, in the order of the bytes.
    var rejections: [String] = []
    /// The error that ended the reading.
    var error: String?
    /// The message of the first rejection or error.
    var message = ""

    /// Reads `text` however it is split, and checks that this makes no difference.
    init(_ text: String, _ keys: [String: String] = [:]) throws {
        try self.init(Array(text.utf8), keys)
    }

    init(_ bytes: [UInt8], _ keys: [String: String] = [:]) throws {
        self = try Self(bytes, keys, pieces: .max)
        for size in [1, 2, 3, 5] {
            let split = try Self(bytes, keys, pieces: size)
            #expect(split == self, "in pieces of \(size)")
        }
        for cut in 0..<min(bytes.count, 300) {
            let split = try Self(bytes, keys, pieces: .max, cut: cut)
            #expect(split == self, "cut at \(cut)")
        }
    }

    private init(
        _ bytes: [UInt8],
        _ keys: [String: String],
        pieces: Int,
        cut: Int? = nil
    ) throws {
        let format = try CSVFormat(configuration: Configuration(keys))
        let reader = try format.makeReader(at: nil)
        var rest = bytes[...]
        var first = cut
        let input = ByteInput { room throws(ConnectorError) in
            let count = min(room.count, pieces, rest.count, first ?? .max)
            first = nil
            room.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count == 0 && !rest.isEmpty ? Self.refill(&rest, room) : count
        }
        let batch = RecordBatch()
        var rejected: [RejectedRecord] = []
        var more = true
        while more {
            batch.reset(topic: "t")
            do throws(ConnectorError) {
                more = try reader.read(input, into: batch)
            } catch {
                self.error = error.code.rawValue
                message = error.message
                more = false
            }
            rows += CapturedRecord.all(of: batch).map { record in
                record.fields.map { "\($0.name)=\(Self.show($0.value))" }.joined(separator: " ")
            }
            rejected += batch.takeRejections()
        }
        rejected.sort { $0.offset < $1.offset }
        rejections = rejected.map { "\($0.error.code.rawValue) \($0.line) \($0.offset)" }
        if let error = rejected.first?.error { message = error.message }
    }

    /// A source must not give nothing before its end.
    private static func refill(
        _ rest: inout ArraySlice<UInt8>,
        _ room: UnsafeMutableRawBufferPointer
    ) -> Int {
        let count = min(room.count, rest.count)
        room.copyBytes(from: rest.prefix(count))
        rest = rest.dropFirst(count)
        return count
    }

    static func show(_ value: Value) -> String {
        switch value {
        case .missing: "missing"
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "int:\(value)"
        case .double(let value): "double:\(value)"
        case .decimal(let text): "dec:\(text)"
        case .string(let text): "'\(text)'"
        case .bytes(let bytes): "bytes:\(bytes)"
        case .json(let text): "json:\(text)"
        case .date(let days): "date:\(days)"
        case .time(let micros): "time:\(micros)"
        case .timestamp(let micros): "ts:\(micros)"
        case .localTimestamp(let micros): "local:\(micros)"
        }
    }
}
