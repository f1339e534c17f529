internal import ConnectorSDK
internal import JSONRecords

/// Writes structured data as JSON: `{"id":{"name":"value"}}`.
///
/// A name that an element has several times becomes an array of its values. (D6)
final class StructuredDataWriter {
    private typealias Parameter = (name: Range<Int>, value: Range<Int>)

    /// The parameters of the element at hand.
    private var parameters: [Parameter] = []

    init() { parameters.reserveCapacity(16) }

    /// The JSON text, in the batch's arena, of elements that ``StructuredDataScanner`` accepted.
    func cell(_ text: UnsafeRawBufferPointer, in batch: RecordBatch) -> Cell {
        // A control character is six bytes, an empty element fewer than it was with `[]`.
        let room = 6 * text.count + 16
        let start = batch.arena.allocate(room)
        var end = start
        let isUTF8 = JSONRecordParser.isValidUTF8(text)
        put(UInt8(ascii: "{"), &end)
        var at = 0
        var inElement = false
        while at < text.count,
            let part = StructuredDataScanner.next(text, &at, inElement: inElement)
        {
            switch part {
            case .element(let id):
                if end > start + 1 { put(UInt8(ascii: ","), &end) }
                string(text, id, isUTF8, &end)
                put(UInt8(ascii: ":"), &end)
                inElement = true
                parameters.removeAll(keepingCapacity: true)
            case .parameter(let name, let value): parameters.append((name, value))
            case .end:
                element(text, isUTF8, &end)
                inElement = false
            }
        }
        put(UInt8(ascii: "}"), &end)
        batch.arena.giveBack(room - (end - start))
        return .slice(.json, UnsafeRawBufferPointer(start: start, count: end - start))
    }

    private func element(
        _ text: UnsafeRawBufferPointer,
        _ isUTF8: Bool,
        _ end: inout UnsafeMutableRawPointer
    ) {
        put(UInt8(ascii: "{"), &end)
        var isFirst = true
        for (index, parameter) in parameters.enumerated() {
            func isSame(_ other: Parameter) -> Bool {
                text[other.name].elementsEqual(text[parameter.name])
            }
            guard !parameters[..<index].contains(where: isSame) else { continue }
            if !isFirst { put(UInt8(ascii: ","), &end) }
            isFirst = false
            string(text, parameter.name, isUTF8, &end)
            put(UInt8(ascii: ":"), &end)
            let later = parameters[(index + 1)...]
            guard later.contains(where: isSame) else {
                string(text, parameter.value, isUTF8, &end)
                continue
            }
            put(UInt8(ascii: "["), &end)
            string(text, parameter.value, isUTF8, &end)
            for other in later where isSame(other) {
                put(UInt8(ascii: ","), &end)
                string(text, other.value, isUTF8, &end)
            }
            put(UInt8(ascii: "]"), &end)
        }
        put(UInt8(ascii: "}"), &end)
    }

    /// Writes a JSON string; in front of `"`, `\` and `]` a backslash means nothing.
    private func string(
        _ text: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        _ isUTF8: Bool,
        _ end: inout UnsafeMutableRawPointer
    ) {
        put(UInt8(ascii: "\""), &end)
        var at = range.lowerBound
        while at < range.upperBound {
            var byte = text[at]
            at += 1
            if byte == UInt8(ascii: "\\"), at < range.upperBound, Self.isEscapable(text[at]) {
                byte = text[at]
                at += 1
            }
            character(byte, isUTF8, &end)
        }
        put(UInt8(ascii: "\""), &end)
    }

    private static func isEscapable(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "]")
    }

    private func character(
        _ byte: UInt8,
        _ isUTF8: Bool,
        _ end: inout UnsafeMutableRawPointer
    ) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            put(UInt8(ascii: "\\"), &end)
            put(byte, &end)
        case 0..<0x20:
            for character in "\\u00".utf8 { put(character, &end) }
            put(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"), &end)
            let low = byte & 0xF
            put(low < 10 ? 0x30 + low : 0x57 + low, &end)
        case 0x80... where !isUTF8: Latin1.append(byte, to: &end)
        default: put(byte, &end)
        }
    }

    private func put(_ byte: UInt8, _ end: inout UnsafeMutableRawPointer) {
        end.storeBytes(of: byte, as: UInt8.self)
        end += 1
    }
}
