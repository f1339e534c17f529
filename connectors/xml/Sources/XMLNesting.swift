import ConnectorSDK
import JSONRecords

/// Writes the elements inside a field of a record as JSON text, while they are open.
///
/// A value is written once it is known; when its element ends, the values inside it are put
/// together and take their place. So an element of any size costs no call stack and no tree.
struct XMLNesting {
    /// A value, or a piece of text, inside an open element.
    private struct Part {
        /// The field it belongs to; ``XMLFieldKey/text`` for a piece of text.
        var key: XMLFieldKey
        /// Where its JSON text is in `values`.
        var start: Int
        var count: Int
        /// The next value of the same name, or -1.
        var next = -1
        var isNilMark = false
    }

    private struct Level {
        var name: UnsafePointer<CChar>
        var firstPart: Int
        var start: Int
    }

    /// What is known of a name.
    private struct Name {
        /// The name in quotes, with a colon.
        var json: [UInt8]
        /// The element that last had a value of this name.
        var stamp = 0
        var first = 0
        var last = 0
    }

    private var levels: [Level] = []
    private var parts: [Part] = []
    private var names: [Name] = []
    private var nameMap = XMLNameMap()
    private var groups: [Int] = []
    private var stamp = 0
    private let values = OutputBuffer(capacity: 4_096)
    private let object = OutputBuffer(capacity: 4_096)

    /// The number of open elements.
    var depth: Int { levels.count }

    /// The names of the open elements, outermost first.
    var path: [UnsafePointer<CChar>] { levels.map(\.name) }

    /// Drops everything.
    @inline(__always)
    mutating func removeAll() {
        if !levels.isEmpty || !parts.isEmpty { empty() }
    }

    private mutating func empty() {
        levels.removeAll(keepingCapacity: true)
        parts.removeAll(keepingCapacity: true)
        values.count = 0
    }

    /// Begins an element.
    mutating func open(_ name: UnsafePointer<CChar>) {
        levels.append(Level(name: name, firstPart: parts.count, start: values.count))
    }

    /// Adds an attribute, a text-only element or a piece of text to the innermost open element.
    mutating func add(_ key: XMLFieldKey, _ text: UnsafeRawBufferPointer) {
        let start = values.count
        JSONText.appendString(text, to: values)
        parts.append(Part(key: key, start: start, count: values.count - start))
    }

    /// Notes that the innermost open element is marked as nil by an attribute of this name.
    mutating func addNilMark(_ name: UnsafePointer<CChar>) {
        let start = values.count
        values.append("\"true\"")
        let part = Part(
            key: .attribute(name),
            start: start,
            count: values.count - start,
            isNilMark: true
        )
        parts.append(part)
    }

    /// Ends the innermost open element.
    ///
    /// `forced` says whether an element of this name is an array even if it is alone.
    ///
    /// - Returns: the element's name and JSON text, valid until the next call, if it was the
    ///   outermost.
    mutating func close(
        isForced: (UnsafePointer<CChar>) -> Bool
    ) -> (name: UnsafePointer<CChar>, json: UnsafeRawBufferPointer)? {
        guard let level = levels.last else { return nil }
        object.count = 0
        let own = level.firstPart..<parts.count
        if own.count == 1, parts[own.lowerBound].isNilMark {
            object.append("null")
        } else if own.allSatisfy({ parts[$0].key == .text }) {
            writeText(own)
        } else {
            writeObject(own, isForced)
        }
        levels.removeLast()
        parts.removeLast(own.count)
        values.count = level.start
        guard !levels.isEmpty else { return (level.name, object.bytes) }
        values.append(object.bytes)
        parts.append(
            Part(key: .element(level.name), start: level.start, count: object.count)
        )
        return nil
    }

    // MARK: Writing

    private func bytes(_ start: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: values.base + start, count: count)
    }

    /// Writes the pieces of text among `own` as one string.
    private func writeText(_ own: Range<Int>) {
        object.append(0x22)
        for index in own where parts[index].key == .text {
            // Each piece is a string of its own, in quotes.
            object.append(bytes(parts[index].start + 1, parts[index].count - 2))
        }
        object.append(0x22)
    }

    private mutating func writeObject(
        _ own: Range<Int>,
        _ isForced: (UnsafePointer<CChar>) -> Bool
    ) {
        group(own)
        object.append(0x7B)
        for (place, name) in groups.enumerated() {
            if place > 0 { object.append(0x2C) }
            names[name].json.withUnsafeBytes { object.append($0) }
            let first = parts[names[name].first]
            let element = first.key.elementName
            let isArray = first.next >= 0 || element.map(isForced) == true
            if isArray { object.append(0x5B) }
            object.append(bytes(first.start, first.count))
            var next = first.next
            while next >= 0 {
                object.append(0x2C)
                object.append(bytes(parts[next].start, parts[next].count))
                next = parts[next].next
            }
            if isArray { object.append(0x5D) }
        }
        if own.contains(where: { parts[$0].key == .text }) {
            if !groups.isEmpty { object.append(0x2C) }
            object.append("\"#text\":")
            writeText(own)
        }
        object.append(0x7D)
    }

    /// Links the values of one name, and lists the names in the order in which they first came.
    private mutating func group(_ own: Range<Int>) {
        stamp += 1
        groups.removeAll(keepingCapacity: true)
        for index in own where parts[index].key != .text {
            let name = name(of: parts[index].key)
            if names[name].stamp == stamp {
                parts[names[name].last].next = index
            } else {
                names[name].stamp = stamp
                names[name].first = index
                groups.append(name)
            }
            names[name].last = index
        }
    }

    private mutating func name(of key: XMLFieldKey) -> Int {
        if let known = nameMap.find(key.bits) { return known }
        // A name of XML holds nothing that JSON escapes.
        names.append(Name(json: Array("\"\(key.name)\":".utf8)))
        nameMap.insert(key.bits, names.count - 1)
        return names.count - 1
    }
}
