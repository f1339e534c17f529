public import ConnectorSDK
internal import JSONRecords

/// The fields of a form, `name=value&name=value`, as one record.
public struct FormBody {
    /// More fields than a form has.
    private static let mostFields = 1_000
    private static let mostValues = 10_000

    /// The names of its fields, each once, in their order.
    public private(set) var names: [String] = []
    private var values: [[[UInt8]]] = []

    /// Reads a form; says what is wrong with it, and at which byte.
    public init(_ text: UnsafeRawBufferPointer) throws(Problem) {
        var places: [String: Int] = [:]
        var start = 0
        var count = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: UInt8(ascii: "&")) ?? text.count
            let pair = text[start..<end]
            if !pair.isEmpty {
                let split = pair.firstIndex(of: UInt8(ascii: "=")) ?? end
                let name = String(decoding: try Self.decode(text, start..<split), as: UTF8.self)
                let value = try Self.decode(text, min(split + 1, end)..<end)
                count += 1
                guard count <= Self.mostValues else {
                    throw Problem(reason: "A form may have 10000 values.", byte: start)
                }
                if let place = places[name] {
                    values[place].append(value)
                } else {
                    guard names.count < Self.mostFields else {
                        throw Problem(reason: "A form may have 1000 fields.", byte: start)
                    }
                    places[name] = names.count
                    names.append(name)
                    values.append([value])
                }
            }
            start = end + 1
        }
    }

    /// Why a text is no form.
    public struct Problem: Error {
        /// The reason.
        public var reason: String
        /// Where.
        public var byte: Int
    }

    /// Appends the record; a field that is there several times is an array.
    public func append(to batch: RecordBatch) {
        let row = batch.appendRow()
        for (column, all) in values.enumerated() {
            if all.count == 1 {
                batch[row, column] = all[0].withUnsafeBytes {
                    .slice(.string, batch.arena.copy($0))
                }
                continue
            }
            let json = OutputBuffer(capacity: 256)
            json.append(UInt8(ascii: "["))
            for (index, value) in all.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                value.withUnsafeBytes { JSONText.appendString($0, to: json) }
            }
            json.append(UInt8(ascii: "]"))
            batch[row, column] = .slice(.json, batch.arena.copy(json.bytes))
        }
    }

    private static func decode(
        _ text: UnsafeRawBufferPointer,
        _ range: Range<Int>
    ) throws(Problem) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        var at = range.lowerBound
        while at < range.upperBound {
            switch text[at] {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard at + 2 < range.upperBound, let high = hexadecimal(text[at + 1]),
                    let low = hexadecimal(text[at + 2])
                else { throw Problem(reason: "A % needs two hexadecimal digits.", byte: at) }
                bytes.append(high << 4 | low)
                at += 2
            case let byte: bytes.append(byte)
            }
            at += 1
        }
        guard bytes.withUnsafeBytes({ JSONRecordParser.isValidUTF8($0) }) else {
            throw Problem(reason: "The form is not UTF-8.", byte: range.lowerBound)
        }
        return bytes
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - 0x30
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - 0x57
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - 0x37
        default: nil
        }
    }
}
