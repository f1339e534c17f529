internal import CBytes
internal import ConnectorSDK

/// Walks strictly over JSON text and says where it fails.
///
/// Nothing outside of the text is accepted, though up to 16 bytes behind it are read. UTF-8 is
/// checked elsewhere: in valid UTF-8 no byte below 0x80 is part of a longer character.
internal struct JSONScanner {
    let base: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>
    /// The next byte; after a failure the offending one.
    var at: UnsafePointer<UInt8>
    private(set) var reason = JSONSyntaxError.Reason.unexpectedEnd

    @inline(__always)
    init(from base: UnsafePointer<UInt8>, to end: UnsafePointer<UInt8>) {
        self.base = base
        self.end = end
        at = base
    }

    /// What the last `false` was about.
    var error: JSONSyntaxError { JSONSyntaxError(reason, at: min(at, end) - base) }

    mutating func fail(_ reason: JSONSyntaxError.Reason) -> Bool {
        self.reason = at >= end && reason != .tooManyFields ? .unexpectedEnd : reason
        return false
    }

    /// Skips white space; `at` may then be the end.
    @inline(__always)
    mutating func skipSpace() {
        while at < end, at[0] <= 0x20 {
            let byte = at[0]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            at += 1
        }
    }

    /// Steps over `byte`.
    @inline(__always)
    mutating func expect(_ byte: UInt8) -> Bool {
        guard at < end, at[0] == byte else { return fail(.unexpectedCharacter) }
        at += 1
        return true
    }

    // MARK: - Values

    /// Steps over one value that begins here, without recursion.
    ///
    /// `base` objects and arrays are already open around it.
    mutating func value(depth base: Int) -> Bool {
        var depth = base
        var kinds = OpenContainers()
        while true {
            guard at < end else { return fail(.unexpectedEnd) }
            switch at[0] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth < JSONLimits.depth else { return fail(.tooDeep) }
                let isObject = at[0] == UInt8(ascii: "{")
                kinds[depth] = isObject
                depth &+= 1
                at += 1
                skipSpace()
                guard at < end else { return fail(.unexpectedEnd) }
                if at[0] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) { break }
                if isObject, !key() { return false }
                continue
            default:
                guard scalar() else { return false }
            }
            guard closeContainers(&kinds, depth: &depth, downTo: base) else { return false }
            if depth == base { return true }
        }
    }

    /// Steps over what may follow a value: closing brackets, then a comma and the next key.
    private mutating func closeContainers(
        _ kinds: inout OpenContainers,
        depth: inout Int,
        downTo base: Int
    ) -> Bool {
        while depth > base {
            skipSpace()
            guard at < end else { return fail(.unexpectedEnd) }
            let isObject = kinds[depth &- 1]
            if at[0] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                at += 1
                depth &-= 1
                continue
            }
            guard expect(UInt8(ascii: ",")) else { return false }
            skipSpace()
            return isObject ? key() : true
        }
        return true
    }

    /// Steps over `"name" :` and the white space around.
    private mutating func key() -> Bool {
        guard expect(UInt8(ascii: "\"")), string() else { return false }
        skipSpace()
        guard expect(UInt8(ascii: ":")) else { return false }
        skipSpace()
        return true
    }

    /// Steps over a string, number or literal.
    mutating func scalar() -> Bool {
        guard at < end else { return fail(.unexpectedEnd) }
        switch at[0] {
        case UInt8(ascii: "\""):
            at += 1
            return string()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
        case UInt8(ascii: "t"): return literal("true")
        case UInt8(ascii: "f"): return literal("false")
        case UInt8(ascii: "n"): return literal("null")
        case UInt8(ascii: "+"), UInt8(ascii: "."): return fail(.invalidNumber)
        default: return fail(.unexpectedCharacter)
        }
    }

    private mutating func literal(_ text: StaticString) -> Bool {
        for index in 0..<text.utf8CodeUnitCount {
            guard expect(text.utf8Start[index]) else { return false }
        }
        return true
    }

    // MARK: - Numbers

    /// Steps over a number.
    mutating func number() -> Bool {
        if at < end, at[0] == UInt8(ascii: "-") { at += 1 }
        guard at < end, at[0] &- 0x30 <= 9 else { return fail(.invalidNumber) }
        if at[0] == UInt8(ascii: "0") {
            at += 1
            if at < end, at[0] &- 0x30 <= 9 { return fail(.invalidNumber) }
        } else {
            skipDigits()
        }
        if at < end, at[0] == UInt8(ascii: ".") {
            at += 1
            guard at < end, at[0] &- 0x30 <= 9 else { return fail(.invalidNumber) }
            skipDigits()
        }
        if at < end, at[0] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < end, at[0] == UInt8(ascii: "+") || at[0] == UInt8(ascii: "-") { at += 1 }
            guard at < end, at[0] &- 0x30 <= 9 else { return fail(.invalidNumber) }
            skipDigits()
        }
        return true
    }

    private mutating func skipDigits() {
        while at < end, at[0] &- 0x30 <= 9 { at += 1 }
    }

    // MARK: - Strings

    /// Steps over a string whose opening quote has been stepped over.
    @inline(__always)
    mutating func string() -> Bool {
        while at < end {
            let mask = mr_special16(at)
            guard mask != 0 else {
                at += 16
                continue
            }
            at += mask.trailingZeroBitCount
            guard at < end else { break }
            if at[0] == UInt8(ascii: "\"") {
                at += 1
                return true
            }
            guard at[0] == UInt8(ascii: "\\") else { return fail(.controlCharacter) }
            guard escape() else { return false }
        }
        at = end
        return fail(.unexpectedEnd)
    }

    /// Steps over an escape; a surrogate pair is one.
    mutating func escape() -> Bool {
        guard end - at >= 2 else {
            at = end
            return fail(.unexpectedEnd)
        }
        switch at[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
            return true
        case UInt8(ascii: "u"): break
        default: return fail(.invalidEscape)
        }
        guard let unit = codeUnit(at) else { return fail(.invalidEscape, cutOffFrom: at) }
        if unit & 0xF800 != 0xD800 {
            at += 6
            return true
        }
        guard unit < 0xDC00, let low = codeUnit(at + 6), low & 0xFC00 == 0xDC00 else {
            return fail(.loneSurrogate, cutOffFrom: at + 6)
        }
        at += 12
        return true
    }

    /// Fails, because of the end where the text has but the beginning of a `\uXXXX` at `start`.
    private mutating func fail(
        _ reason: JSONSyntaxError.Reason,
        cutOffFrom start: UnsafePointer<UInt8>
    ) -> Bool {
        guard end - start < 6 else { return fail(reason) }
        for index in 0..<max(end - start, 0) {
            let byte = start[index]
            let fits =
                index == 0
                ? byte == UInt8(ascii: "\\")
                : index == 1 ? byte == UInt8(ascii: "u") : EscapedText.hexValue(byte) != nil
            guard fits else { return fail(reason) }
        }
        at = end
        return fail(.unexpectedEnd)
    }

    /// The UTF-16 code unit of a whole `\uXXXX` at `start`.
    private func codeUnit(_ start: UnsafePointer<UInt8>) -> UInt32? {
        guard end - start >= 6, start[0] == UInt8(ascii: "\\"), start[1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt32 = 0
        for index in 2..<6 {
            guard let digit = EscapedText.hexValue(start[index]) else { return nil }
            unit = unit << 4 | digit
        }
        return unit
    }
}

/// For each container that is open, whether it is an object.
private struct OpenContainers {
    private var words = InlineArray<8, UInt64>(repeating: 0)

    subscript(depth: Int) -> Bool {
        @inline(__always) get { words[depth >> 6] >> UInt64(depth & 63) & 1 != 0 }
        @inline(__always) set {
            let bit: UInt64 = 1 << UInt64(depth & 63)
            if newValue { words[depth >> 6] |= bit } else { words[depth >> 6] &= ~bit }
        }
    }
}
