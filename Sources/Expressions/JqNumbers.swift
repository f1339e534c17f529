internal import ConnectorSDK
internal import JSONRecords

/// Finds numbers that jq cannot hold: it has no others than 64-bit floating-point ones.
///
/// A number is held when the shortest text of its nearest double means the same. All numbers of up
/// to 15 digits are.
internal enum JqNumbers {
    private static let safeDigits = 15

    /// Whether a JSON text has a number that would come back as another. (D6)
    ///
    /// At least ``Chunk/padding`` bytes behind the text may be read.
    static func areChanged(in json: UnsafeRawBufferPointer) -> Bool {
        if hasExponent(json) { return areReallyChanged(in: json) }
        // A longer number covers one of the bytes that are this far apart.
        var at = safeDigits
        while at < json.count {
            if isOfNumber(json[at]), hasRun(around: at, json) { return areReallyChanged(in: json) }
            at += safeDigits + 1
        }
        return false
    }

    /// Whether an `e` stands behind a digit anywhere, as in numbers too large for a double.
    ///
    /// Without a way out of the loop, so that it works on many bytes at a time.
    private static func hasExponent(_ json: UnsafeRawBufferPointer) -> Bool {
        guard let start = json.bindMemory(to: UInt8.self).baseAddress else { return false }
        var found: UInt8 = 0
        for at in 1..<max(json.count, 1) {
            let isDigit: UInt8 = start[at &- 1] &- 0x30 < 10 ? 1 : 0
            found |= isDigit & (start[at] | 0x20 == UInt8(ascii: "e") ? 1 : 0)
        }
        return found != 0
    }

    @inline(__always)
    private static func isOfNumber(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || byte == UInt8(ascii: ".")
    }

    private static func hasRun(around at: Int, _ json: UnsafeRawBufferPointer) -> Bool {
        var start = at
        while start > 0, isOfNumber(json[start - 1]) { start -= 1 }
        var end = at + 1
        while end < json.count, isOfNumber(json[end]) { end += 1 }
        return end - start > safeDigits
    }

    /// Looks at each number that is no part of a string.
    private static func areReallyChanged(in json: UnsafeRawBufferPointer) -> Bool {
        var at = 0
        while at < json.count {
            let byte = json[at]
            if byte == UInt8(ascii: "\"") {
                at = end(ofStringAt: at, json)
            } else if byte == UInt8(ascii: "-") || byte &- 0x30 < 10 {
                var end = at + 1
                while end < json.count, isInsideNumber(json[end]) { end += 1 }
                if isChanged(UnsafeRawBufferPointer(rebasing: json[at..<end])) { return true }
                at = end
            } else {
                at += 1
            }
        }
        return false
    }

    private static func isInsideNumber(_ byte: UInt8) -> Bool {
        isOfNumber(byte) || byte | 0x20 == UInt8(ascii: "e") || byte == UInt8(ascii: "+")
            || byte == UInt8(ascii: "-")
    }

    private static func end(ofStringAt start: Int, _ json: UnsafeRawBufferPointer) -> Int {
        var at = start + 1
        while at < json.count, json[at] != UInt8(ascii: "\"") {
            at += json[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        return at + 1
    }

    private static func isChanged(_ text: UnsafeRawBufferPointer) -> Bool {
        let isShort = text.count <= safeDigits && !text.contains { $0 | 0x20 == UInt8(ascii: "e") }
        guard !isShort, let number = JSONNumber.cell(text) else { return false }
        let nearest = ExactNumber.double(number)
        guard nearest.isFinite else { return true }
        let buffer = Chunk(copying: nearest.description.utf8)
        return withExtendedLifetime(buffer) {
            guard let back = JSONNumber.cell(UnsafeRawBufferPointer(buffer.bytes)) else {
                return true
            }
            return ExactNumber.compare(number, back) != 0
        }
    }
}
