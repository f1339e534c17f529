internal import ConnectorSDK
internal import Glibc
internal import JSONRecords

/// A stream of JSON in which values are found, kept, or skipped, counting lines.
internal final class DocumentStream {
    /// Where the bytes come from, while a batch is being read.
    @exclusivity(unchecked) var input: ByteInput?
    /// The number of the line that comes next.
    @exclusivity(unchecked) private(set) var line: Int64
    @exclusivity(unchecked) private var extent = JSONExtent(depth: 1)

    init(line: Int64) { self.line = line }

    var window: UnsafeRawBufferPointer {
        input?.window ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }

    var offset: Int64 { input?.offset ?? 0 }

    var chunk: Chunk { input?.chunk ?? Chunk(capacity: 0) }

    /// Whether nothing but white space is there, and the input would have to wait for more.
    var mustWait: Bool { window.allSatisfy(JSONReader.isSpace) && input?.wouldWait == true }

    /// The next bytes, to show where something began.
    func sample() -> [UInt8] { Array(RecordIntake.sample(window)) }

    /// Moves on, counting lines.
    func consume(_ count: Int) { consume(UnsafeRawBufferPointer(rebasing: window[..<count])) }

    /// Moves behind a text that the window begins with, counting lines.
    func consume(_ text: UnsafeRawBufferPointer) {
        line &+= Int64(Self.lineFeeds(in: text))
        input?.consume(text.count)
    }

    private static func lineFeeds(in text: UnsafeRawBufferPointer) -> Int {
        guard var from = text.baseAddress else { return 0 }
        let end = from + text.count
        var count = 0
        while let found = memchr(from, 0x0A, end - from) {
            count &+= 1
            from = UnsafeRawPointer(found) + 1
        }
        return count
    }

    private func fill() throws(ConnectorError) -> Bool { try input?.fill() ?? false }

    // MARK: - One byte

    /// Skips white space and shows the byte behind it; `nil` at the end of the stream.
    func peek() throws(ConnectorError) -> UInt8? {
        while true {
            let window = window
            var at = 0
            while at < window.count, JSONReader.isSpace(window[at]) { at += 1 }
            let next = at < window.count ? window[at] : nil
            if at > 0 { consume(at) }
            if let next { return next }
            guard try fill() else { return nil }
        }
    }

    /// Skips white space and shows the byte behind it, which must exist.
    func require() throws(ConnectorError) -> UInt8 {
        guard let byte = try peek() else { throw broken(.unexpectedEnd) }
        return byte
    }

    /// Steps over `byte`, which must come next.
    private func take(_ byte: UInt8) throws(ConnectorError) {
        guard try require() == byte else { throw unexpected() }
        consume(1)
    }

    // MARK: - Values

    /// Gets the value that begins here into the window as a whole.
    ///
    /// - Returns: its text, not consumed; `nil` when it is longer than `limit`, and then
    ///   ``skipTooLong()`` goes on.
    func value(limit: Int) throws(ConnectorError) -> UnsafeRawBufferPointer? {
        var scanned = 0
        extent = JSONExtent(first: window[0])
        while true {
            let window = window
            let piece = UnsafeRawBufferPointer(rebasing: window[scanned...])
            if let count = extent.advance(piece) {
                let whole = UnsafeRawBufferPointer(rebasing: window[..<(scanned + count)])
                guard !whole.isEmpty else { throw unexpected() }
                guard whole.count <= limit else {
                    // Found, but not wanted: begin anew, to skip it.
                    extent = JSONExtent(first: window[0])
                    return nil
                }
                return whole
            }
            scanned = window.count
            guard scanned <= limit else {
                extent = JSONExtent(first: window[0])
                return nil
            }
            if try !fill() {
                guard extent.isScalar else { throw broken(.unexpectedEnd) }
                return self.window
            }
        }
    }

    /// Reads over the value that ``value(limit:)`` found too long, without keeping it.
    func skipTooLong() throws(ConnectorError) { try skipExtent() }

    /// Reads over what is left of `depth` open objects and arrays, without keeping it.
    func skipToEnd(depth: Int) throws(ConnectorError) {
        guard depth > 0 else { return }
        extent = JSONExtent(depth: depth)
        try skipExtent()
    }

    private func skipValue() throws(ConnectorError) {
        extent = JSONExtent(first: try require())
        let start = offset
        try skipExtent()
        if offset == start { throw unexpected() }
    }

    private func skipExtent() throws(ConnectorError) {
        while true {
            if let count = extent.advance(window) { return consume(count) }
            consume(window.count)
            if try !fill() {
                guard extent.isScalar else { throw broken(.unexpectedEnd) }
                return
            }
        }
    }

    /// Steps over `null`.
    func skipNull() throws(ConnectorError) {
        for byte in "null".utf8 { try take(byte) }
    }

    // MARK: - Paths

    /// Goes into the document that begins here, up to the value that `path` names.
    ///
    /// - Returns: how many objects and arrays are open around the place reached, and whether the
    ///   value begins there. Of fields with the same name the first is taken.
    func descend(
        _ path: JSONPointer
    ) throws(ConnectorError) -> (depth: Int, isFound: Bool) {
        var depth = 0
        for token in path.tokens {
            let isInside: Bool
            switch try require() {
            case UInt8(ascii: "{"):
                isInside = try findField(token)
            case UInt8(ascii: "["):
                isInside = try findElement(token)
            default:
                try skipValue()
                return (depth, false)
            }
            // Not found means that the container was read to its end.
            guard isInside else { return (depth, false) }
            depth += 1
        }
        return (depth, true)
    }

    private func findField(_ name: [UInt8]) throws(ConnectorError) -> Bool {
        try take(UInt8(ascii: "{"))
        if try require() == UInt8(ascii: "}") {
            consume(1)
            return false
        }
        while true {
            guard try require() == UInt8(ascii: "\"") else { throw unexpected() }
            guard let key = try value(limit: RecordBatch.byteLimit) else { throw unexpected() }
            let isWanted = JSONRecordParser.string(key, equals: name)
            consume(key)
            try take(UInt8(ascii: ":"))
            _ = try require()
            if isWanted { return true }
            try skipValue()
            if try require() == UInt8(ascii: "}") {
                consume(1)
                return false
            }
            try take(UInt8(ascii: ","))
        }
    }

    private func findElement(_ token: [UInt8]) throws(ConnectorError) -> Bool {
        try take(UInt8(ascii: "["))
        if try require() == UInt8(ascii: "]") {
            consume(1)
            return false
        }
        let wanted = JSONPointer.index(token)
        var index = 0
        while true {
            _ = try require()
            if index == wanted { return true }
            try skipValue()
            index += 1
            if try require() == UInt8(ascii: "]") {
                consume(1)
                return false
            }
            try take(UInt8(ascii: ","))
        }
    }

    // MARK: - Errors

    /// The error of a byte that has no place where it stands.
    func unexpected() -> ConnectorError { broken(.unexpectedCharacter) }

    private func broken(_ reason: JSONSyntaxError.Reason) -> ConnectorError {
        let place = RecordIntake.Place(byte: offset, line: line)
        return broken(JSONSyntaxError(reason, at: 0), in: place)
    }

    /// The error of a record that is not JSON, behind which nothing can be read.
    func broken(_ error: JSONSyntaxError, in place: RecordIntake.Place) -> ConnectorError {
        var line = place.line
        for byte in window.prefix(error.offset) where byte == 0x0A { line += 1 }
        return ConnectorError(
            .jsonSyntax,
            .failTask,
            "Not JSON at line \(line), byte \(place.byte + Int64(error.offset)): "
                + "\(error.reason.rawValue).",
            hint: "What follows a syntax error in a document cannot be read."
        )
    }
}
