import ConnectorSDK
import ConnectorTesting
import Testing
import XMLFormat

/// What an XML text becomes, in a form that is easy to compare.
struct XMLFile: Equatable {
    /// The records' fields, in order.
    var rows: [String] = []
    /// What was rejected, as `code line byte`.
    var rejections: [String] = []
    /// The code of the error that ended the reading.
    var error: String?
    var message = ""
    /// The records as they arrived.
    var raw: [String] = []

    /// Whether the same was read; columns in messages may differ.
    static func == (left: Self, right: Self) -> Bool {
        left.rows == right.rows && left.rejections == right.rejections
            && left.error == right.error && left.raw == right.raw
    }

    /// Reads `text` however it is split, and checks that this makes no difference.
    init(_ text: String, _ keys: [String: String] = [:]) throws {
        try self.init(Array(text.utf8), keys)
    }

    init(_ bytes: [UInt8], _ keys: [String: String] = [:]) throws {
        self = try Self(bytes, keys, pieces: [])
        for size in [1, 2, 3, 7] {
            let split = try Self(bytes, keys, pieces: Array(repeating: size, count: bytes.count))
            #expect(split == self, "in pieces of \(size)")
        }
        for cut in 1..<max(2, min(bytes.count, 400)) {
            #expect(try Self(bytes, keys, pieces: [cut]) == self, "cut at \(cut)")
        }
    }

    private init(_ bytes: [UInt8], _ keys: [String: String], pieces: [Int]) throws {
        let format = try XMLFormat(configuration: Configuration(keys))
        let reader = try format.makeReader(at: nil)
        var rest = bytes[...]
        var sizes = pieces[...]
        let input = ByteInput { room throws(ConnectorError) in
            let count = min(room.count, rest.count, sizes.popFirst() ?? .max)
            room.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
        let batch = RecordBatch()
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
            raw += batch.indices.map { String(decoding: batch[metadata: $0].raw, as: UTF8.self) }
            rejections += batch.takeRejections().map {
                "\($0.error.code.rawValue) \($0.line) \($0.offset)"
            }
        }
    }

    static func show(_ value: Value) -> String {
        switch value {
        case .null: "null"
        case .string(let text): "'\(text)'"
        case .json(let text): text
        default: "\(value)"
        }
    }
}
