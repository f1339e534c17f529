/// Tells JSON from other text, strictly and without recursion.
enum JSONSyntax {
    /// Containers within containers; deeper text is shown as a string.
    private static let maximumDepth = 512

    /// Whether `bytes` are exactly one JSON value.
    static func isValue(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var scan = Scan(bytes: bytes)
        return scan.document()
    }

    private struct Scan {
        let bytes: UnsafeRawBufferPointer
        var index = 0
        /// For each open container whether it is an object.
        var open: [Bool] = []

        init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        mutating func document() -> Bool {
            guard value() else { return false }
            while !open.isEmpty {
                guard member() else { return false }
            }
            skipSpace()
            return index == bytes.count
        }

        /// Reads a scalar or the start of a container; an empty container as a whole.
        private mutating func value() -> Bool {
            skipSpace()
            switch peek {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = peek == UInt8(ascii: "{")
                index += 1
                skipSpace()
                if take(isObject ? "}" : "]") { return true }
                guard open.count < maximumDepth else { return false }
                open.append(isObject)
                return isObject ? key() && value() : value()
            case UInt8(ascii: "\""): return string()
            case UInt8(ascii: "t"): return word("true")
            case UInt8(ascii: "f"): return word("false")
            case UInt8(ascii: "n"): return word("null")
            default: return number()
            }
        }

        /// Reads what may follow a value: the next member, or the end of the container.
        private mutating func member() -> Bool {
            let isObject = open[open.count - 1]
            skipSpace()
            if take(",") { return isObject ? key() && value() : value() }
            guard take(isObject ? "}" : "]") else { return false }
            open.removeLast()
            return true
        }

        private mutating func key() -> Bool {
            skipSpace()
            guard peek == UInt8(ascii: "\""), string() else { return false }
            skipSpace()
            return take(":")
        }

        private mutating func string() -> Bool {
            index += 1
            while let byte = peek {
                index += 1
                switch byte {
                case UInt8(ascii: "\""): return true
                case UInt8(ascii: "\\"):
                    guard let escape = peek else { return false }
                    index += 1
                    if escape == UInt8(ascii: "u") {
                        guard bytes.count - index >= 4,
                            bytes[index..<index + 4].allSatisfy({ Self.isHex($0) })
                        else { return false }
                        index += 4
                    } else if !"\"\\/bfnrt".utf8.contains(escape) {
                        return false
                    }
                case 0..<0x20: return false
                default: continue
                }
            }
            return false
        }

        private mutating func number() -> Bool {
            _ = take("-")
            let startsWithZero = peek == UInt8(ascii: "0")
            let whole = digits()
            guard whole > 0, !startsWithZero || whole == 1 else { return false }
            if take(".") {
                guard digits() > 0 else { return false }
            }
            if take("e") || take("E") {
                if !take("+") { _ = take("-") }
                guard digits() > 0 else { return false }
            }
            return true
        }

        private mutating func digits() -> Int {
            let start = index
            while let byte = peek, (0x30...0x39).contains(byte) { index += 1 }
            return index - start
        }

        private mutating func word(_ word: StaticString) -> Bool {
            let text = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
            guard bytes.count - index >= text.count,
                bytes[index..<index + text.count].elementsEqual(text)
            else { return false }
            index += text.count
            return true
        }

        private mutating func skipSpace() {
            while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
                index += 1
            }
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard let byte = peek, byte == UInt8(ascii: character) else { return false }
            index += 1
            return true
        }

        private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

        private static func isHex(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte)
                || (0x61...0x66).contains(byte)
        }
    }
}
