import ConnectorSDK
import JSONRecords

/// Writes values as elements, attributes and text.
struct XMLElementWriter {
    /// Why a value cannot be written; to be read after the field's name.
    enum Problem: String {
        case character = "holds a character that XML does not allow"
        case name = "holds a name that XML does not allow"
        case nestedArray = "holds an array in an array, which XML cannot express"
        case nestedAttribute = "is an attribute or text, which cannot be null or nested"
        case value = "holds a date or time that cannot be written as text"
        case depth = "is nested too deep"
    }

    private static let maxDepth = 256

    private let output: OutputBuffer

    init(_ output: OutputBuffer) { self.output = output }

    // MARK: Cells

    /// Writes ` name="value"`.
    func attribute(_ name: UnsafeRawBufferPointer, _ cell: Cell) -> Problem? {
        guard cell.tag != .null, cell.tag != .json else { return .nestedAttribute }
        output.append(0x20)
        output.append(name)
        output.append("=\"")
        let problem = scalar(cell, inAttribute: true)
        output.append(0x22)
        return problem
    }

    /// Writes text beside attributes and elements.
    func text(_ cell: Cell) -> Problem? {
        guard cell.tag != .null, cell.tag != .json else { return .nestedAttribute }
        return scalar(cell, inAttribute: false)
    }

    /// Writes an element, or several for an array.
    func element(_ name: UnsafeRawBufferPointer, _ cell: Cell) -> Problem? {
        switch cell.tag {
        case .missing: return nil
        case .null:
            writeNil(name)
            return nil
        case .json:
            var text = XMLJSONCursor(cell.slice)
            return value(name, &text, depth: 0, inArray: false)
        default:
            open(name)
            let problem = scalar(cell, inAttribute: false)
            close(name)
            return problem
        }
    }

    private func scalar(_ cell: Cell, inAttribute: Bool) -> Problem? {
        if cell.tag == .string {
            return XMLText.append(cell.slice, to: output, inAttribute: inAttribute)
                ? nil : .character
        }
        if cell.tag == .double {
            let value = Double(bitPattern: cell.bits)
            if !value.isFinite {
                output.append(value.isNaN ? "NaN" : value < 0 ? "-INF" : "INF")
                return nil
            }
        }
        // Other values are ASCII; JSON has some of them in quotes.
        let start = output.count
        guard JSONText.appendCell(cell, to: output) else { return .value }
        if output.bytes[start] == 0x22 {
            let count = output.count - start - 2
            let first = output.base + start
            first.copyMemory(from: first + 1, byteCount: count)
            output.count = start + count
        }
        return nil
    }

    // MARK: Nested values

    /// Writes the JSON value that the cursor stands at.
    private func value(
        _ name: UnsafeRawBufferPointer,
        _ json: inout XMLJSONCursor,
        depth: Int,
        inArray: Bool
    ) -> Problem? {
        guard depth < Self.maxDepth else { return .depth }
        switch json.kind {
        case .object: return object(name, &json, depth: depth)
        case .array:
            guard !inArray else { return .nestedArray }
            json.enter()
            while json.hasElement() {
                if let problem = value(name, &json, depth: depth + 1, inArray: true) {
                    return problem
                }
            }
            return nil
        case .null:
            json.skipValue()
            writeNil(name)
        case .scalar:
            open(name)
            guard XMLText.append(json.scalar(), to: output, inAttribute: false) else {
                return .character
            }
            close(name)
        }
        return nil
    }

    private func object(
        _ name: UnsafeRawBufferPointer,
        _ json: inout XMLJSONCursor,
        depth: Int
    ) -> Problem? {
        output.append(0x3C)
        output.append(name)
        var attributes = json
        attributes.enter()
        while attributes.hasElement() {
            let key = attributes.key()
            guard key.first == 0x40 else {
                attributes.skipValue()
                continue
            }
            if let problem = attribute(key, &attributes) { return problem }
        }
        output.append(0x3E)
        json.enter()
        while json.hasElement() {
            let key = json.key()
            if key.first == 0x40 {
                json.skipValue()
            } else if key == Array("#text".utf8) {
                guard json.kind == .scalar else { return .nestedAttribute }
                guard XMLText.append(json.scalar(), to: output, inAttribute: false) else {
                    return .character
                }
            } else {
                let problem = key.withUnsafeBytes { key -> Problem? in
                    guard Self.isWritable(key, asAttribute: false) else { return .name }
                    return value(key, &json, depth: depth + 1, inArray: false)
                }
                if let problem { return problem }
            }
        }
        close(name)
        return nil
    }

    private func attribute(_ key: [UInt8], _ json: inout XMLJSONCursor) -> Problem? {
        guard json.kind == .scalar else { return .nestedAttribute }
        return key.withUnsafeBytes { key in
            let name = UnsafeRawBufferPointer(rebasing: key.dropFirst())
            guard Self.isWritable(name, asAttribute: true) else { return .name }
            output.append(0x20)
            output.append(name)
            output.append("=\"")
            let isWritten = XMLText.append(json.scalar(), to: output, inAttribute: true)
            output.append(0x22)
            return isWritten ? nil : .character
        }
    }

    // MARK: Tags

    private func open(_ name: UnsafeRawBufferPointer) {
        output.append(0x3C)
        output.append(name)
        output.append(0x3E)
    }

    private func close(_ name: UnsafeRawBufferPointer) {
        output.append("</")
        output.append(name)
        output.append(0x3E)
    }

    private func writeNil(_ name: UnsafeRawBufferPointer) {
        output.append(0x3C)
        output.append(name)
        output.append(" xsi:nil=\"true\"/>")
    }

    /// Whether an element or attribute may be called so: a name without an undeclared prefix.
    static func isWritable(_ name: UnsafeRawBufferPointer, asAttribute: Bool) -> Bool {
        func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte == 0x5F }
        guard let first = name.first else { return false }
        let isPlain =
            isLetter(first)
            && name.allSatisfy { isLetter($0) || $0 &- 0x30 <= 9 || $0 == 0x2D || $0 == 0x2E }
        if isPlain { return true }
        let text = String(decoding: name, as: UTF8.self)
        guard XMLNameRules.isName(text) else { return false }
        return !text.contains(":") || (asAttribute && text.hasPrefix("xml:"))
    }
}

/// Writes characters, with the references that keep them what they are.
enum XMLText {
    /// Appends text; `false` when it holds a character that XML does not allow.
    static func append(
        _ text: some Collection<UInt8>,
        to output: OutputBuffer,
        inAttribute: Bool
    ) -> Bool {
        let isWritten = text.withContiguousStorageIfAvailable {
            append(UnsafeRawBufferPointer($0), to: output, inAttribute: inAttribute)
        }
        return isWritten ?? append(Array(text), to: output, inAttribute: inAttribute)
    }

    private static func append(
        _ text: UnsafeRawBufferPointer,
        to output: OutputBuffer,
        inAttribute: Bool
    ) -> Bool {
        var start = 0
        for (index, byte) in text.enumerated() {
            // Most bytes are letters and digits.
            if byte > 0x3E, byte != 0xEF { continue }
            let reference: StaticString
            switch byte {
            case 0x26: reference = "&amp;"
            case 0x3C: reference = "&lt;"
            case 0x3E: reference = "&gt;"
            case 0x22 where inAttribute: reference = "&quot;"
            case 0x09 where inAttribute: reference = "&#9;"
            case 0x0A where inAttribute: reference = "&#10;"
            case 0x0D: reference = "&#13;"
            case 0x09, 0x0A: continue
            case 0xEF where isNoCharacter(text, at: index): return false
            case 0..<0x20: return false
            default: continue
            }
            output.append(UnsafeRawBufferPointer(rebasing: text[start..<index]))
            output.append(
                UnsafeRawBufferPointer(
                    start: reference.utf8Start,
                    count: reference.utf8CodeUnitCount
                )
            )
            start = index + 1
        }
        output.append(UnsafeRawBufferPointer(rebasing: text[start...]))
        return true
    }

    /// Whether U+FFFE or U+FFFF stands there.
    private static func isNoCharacter(_ text: UnsafeRawBufferPointer, at index: Int) -> Bool {
        index + 2 < text.count && text[index + 1] == 0xBF && text[index + 2] >= 0xBE
    }
}
