public import ConnectorSDK

/// Walks over the fields of an object's text, in order and without copying.
///
/// The text is that of a cell: valid, with ``Chunk/padding`` readable bytes behind it. Text that is
/// no object has no fields; where it is not valid after all the walk ends.
public struct JSONMembers {
    private var scanner: JSONScanner
    private var isBegun = false
    private var nameStart: UnsafePointer<UInt8>
    private var nameEnd: UnsafePointer<UInt8>
    private var valueStart: UnsafePointer<UInt8>

    /// Begins before the first field; `nil` when the text is no object.
    @inline(__always)
    public init?(_ text: UnsafeRawBufferPointer) {
        guard let start = text.bindMemory(to: UInt8.self).baseAddress else { return nil }
        scanner = JSONScanner(from: start, to: start + text.count)
        scanner.skipSpace()
        guard scanner.expect(UInt8(ascii: "{")) else { return nil }
        nameStart = start
        nameEnd = start
        valueStart = start
    }

    /// The name between its quotes, escapes and all.
    @inline(__always)
    public var name: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: nameStart, count: nameEnd - nameStart)
    }

    /// The name without escapes.
    public var text: String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(name.count, 1)) { room in
            guard let target = room.baseAddress else { return "" }
            let count = EscapedText.decode(nameStart, to: nameEnd, into: target)
            return String(decoding: room.prefix(count), as: UTF8.self)
        }
    }

    /// The value's text.
    @inline(__always)
    public var value: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: valueStart, count: scanner.at - valueStart)
    }

    /// Goes to the next field; `false` behind the last.
    public mutating func next() -> Bool {
        scanner.skipSpace()
        if isBegun {
            guard scanner.expect(UInt8(ascii: ",")) else { return false }
            scanner.skipSpace()
        }
        isBegun = true
        guard scanner.expect(UInt8(ascii: "\"")) else { return false }
        nameStart = scanner.at
        guard scanner.string() else { return false }
        nameEnd = scanner.at - 1
        scanner.skipSpace()
        guard scanner.expect(UInt8(ascii: ":")) else { return false }
        scanner.skipSpace()
        valueStart = scanner.at
        return scanner.value(depth: 0)
    }

    /// Whether the field's name is `name`, whichever way it is escaped.
    @inline(__always)
    public func isNamed(_ name: UnsafeRawBufferPointer) -> Bool {
        let own = self.name
        // An escape is longer than what it stands for.
        guard own.count >= name.count else { return false }
        if own.count == name.count, !own.elementsEqual(name) { return false }
        guard own.contains(UInt8(ascii: "\\")) else { return own.count == name.count }
        return isNamedWithEscapes(name)
    }

    private func isNamedWithEscapes(_ name: UnsafeRawBufferPointer) -> Bool {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: self.name.count) { room in
            guard let target = room.baseAddress else { return name.isEmpty }
            let count = EscapedText.decode(nameStart, to: nameEnd, into: target)
            return room.prefix(count).elementsEqual(name)
        }
    }

    /// The text of a field's value in an object's text; of fields of one name the last one's.
    public static func value(
        of name: UnsafeRawBufferPointer,
        in object: UnsafeRawBufferPointer
    ) -> UnsafeRawBufferPointer? {
        guard var members = JSONMembers(object) else { return nil }
        var found: UnsafeRawBufferPointer?
        while members.next() {
            if members.isNamed(name) { found = members.value }
        }
        return found
    }
}

extension JSONText {
    /// The cell of one valid value's text, which stays where it is: numbers and texts as
    /// ``JSONRecordParser`` reads them, objects and arrays as text.
    ///
    /// What has to be unescaped goes into the batch's arena.
    public static func cell(_ text: UnsafeRawBufferPointer, in batch: RecordBatch) -> Cell {
        guard let start = text.bindMemory(to: UInt8.self).baseAddress, !text.isEmpty else {
            return .missing
        }
        switch start[0] {
        case UInt8(ascii: "\""):
            let content = UnsafeRawBufferPointer(rebasing: text[1..<max(text.count - 1, 1)])
            guard content.contains(UInt8(ascii: "\\")) else { return .slice(.string, content) }
            let room = batch.arena.allocate(content.count)
            let target = room.assumingMemoryBound(to: UInt8.self)
            let count = EscapedText.decode(start + 1, to: start + text.count - 1, into: target)
            batch.arena.giveBack(content.count - count)
            return .slice(.string, UnsafeRawBufferPointer(start: room, count: count))
        case UInt8(ascii: "{"), UInt8(ascii: "["): return .slice(.json, text)
        case UInt8(ascii: "t"): return .bool(true)
        case UInt8(ascii: "f"): return .bool(false)
        case UInt8(ascii: "n"): return .null
        default: return JSONNumber.cell(start, to: start + text.count)
        }
    }
}
