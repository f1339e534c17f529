internal import ConnectorSDK

/// A path with places that records fill.
struct PathTemplate: Sendable {
    enum Piece: Sendable, Hashable {
        case text(String)
        case topic
        case partition
        case timestamp(TimestampPattern)
        case field(String)
    }

    let pieces: [Piece]

    /// Reads a template such as `out/${topic}/${timestamp:yyyy-MM-dd}.jsonl`.
    init(_ text: String) throws(ConnectorError) {
        var pieces: [Piece] = []
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            if start.lowerBound > rest.startIndex {
                pieces.append(.text(String(rest[..<start.lowerBound])))
            }
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw .invalid("path", "A `${` has no `}`.")
            }
            pieces.append(try Self.placeholder(rest[start.upperBound..<end]))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        self.pieces = pieces
    }

    private static func placeholder(_ text: Substring) throws(ConnectorError) -> Piece {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let argument = parts.count > 1 ? String(parts[1]) : nil
        switch (parts.first ?? "", argument) {
        case ("topic", nil): return .topic
        case ("partition", nil): return .partition
        case ("field", let name?) where !name.isEmpty: return .field(name)
        case ("timestamp", let pattern?):
            do throws(TimestampPattern.Problem) {
                return .timestamp(try TimestampPattern(pattern))
            } catch {
                throw .invalid("path", "The pattern `\(pattern)` \(error.message).")
            }
        default:
            throw .invalid(
                "path",
                "There is no placeholder `${\(text)}`.",
                hint: "Known are ${topic}, ${partition}, ${timestamp:yyyy-MM-dd} and ${field:name}."
            )
        }
    }

    var hasPartition: Bool { pieces.contains(.partition) }

    /// The first field that the path asks for.
    var field: String? {
        for case .field(let name) in pieces { return name }
        return nil
    }

    /// Whether all records of a batch have one path.
    var isConstantInBatch: Bool {
        pieces.allSatisfy { piece in
            switch piece {
            case .text, .topic, .partition: true
            case .timestamp, .field: false
            }
        }
    }

    /// A glob pattern that matches whatever files with names of this shape there can be, their
    /// names changed to `.<name><suffix>`.
    func pattern(forHiddenNamesEndingWith suffix: String) -> String {
        var text = ""
        for piece in pieces {
            switch piece {
            case .text(let literal):
                for character in literal {
                    if "*?[]{}\\".contains(character) { text.append("\\") }
                    text.append(character)
                }
            case .timestamp(let pattern):
                text += "*" + String(repeating: "/*", count: pattern.slashCount)
            case .topic, .partition, .field: text += "*"
            }
        }
        guard let slash = text.lastIndex(of: "/") else { return ".*" + suffix }
        return text[...slash] + ".*" + suffix
    }
}

/// Finds the path of each record, without an allocation as long as paths repeat.
struct PathRenderer {
    // Names may have 255 bytes, and a suffix must find room.
    private static let valueLimit = 128
    private static let missing = Array("__missing__".utf8)

    private let template: PathTemplate
    /// The path rendered last, as UTF-8.
    private(set) var bytes: [UInt8] = []
    private var schema: Schema?
    private var columns: [Int] = []

    init(_ template: PathTemplate) { self.template = template }

    var isConstantInBatch: Bool { template.isConstantInBatch }

    /// Renders the path of a row into ``bytes``.
    mutating func render(_ batch: RecordBatch, row: Int) {
        if schema !== batch.schema { resolve(batch.schema) }
        bytes.removeAll(keepingCapacity: true)
        for (index, piece) in template.pieces.enumerated() {
            switch piece {
            case .text(let text): bytes.append(contentsOf: text.utf8)
            case .topic: bytes.append(contentsOf: batch.topic.utf8)
            case .partition: append(Int64(max(0, batch.metadata(row).pointee.partition)))
            case .timestamp(let pattern):
                let time = batch.metadata(row).pointee.timestamp
                if time == RecordMetadata.noTimestamp {
                    bytes += Self.missing
                } else {
                    pattern.append(time, to: &bytes)
                }
            case .field:
                let column = columns[index]
                append(column < 0 ? .missing : batch.row(row)[column])
            }
        }
    }

    /// How many rows from `row` on have the path of `row`.
    func runLength(_ batch: RecordBatch, from row: Int) -> Int {
        if isConstantInBatch { return batch.count - row }
        var end = row + 1
        while end < batch.count, isSame(batch, row, end) { end += 1 }
        return end - row
    }

    private func isSame(_ batch: RecordBatch, _ first: Int, _ second: Int) -> Bool {
        for (index, piece) in template.pieces.enumerated() {
            switch piece {
            case .text, .topic: continue
            case .partition:
                guard
                    batch.metadata(first).pointee.partition
                        == batch.metadata(second).pointee.partition
                else { return false }
            case .timestamp(let pattern):
                let a = batch.metadata(first).pointee.timestamp
                let b = batch.metadata(second).pointee.timestamp
                if a == b { continue }
                guard a != RecordMetadata.noTimestamp, b != RecordMetadata.noTimestamp,
                    CivilDate.floor(a, pattern.granularity)
                        == CivilDate.floor(b, pattern.granularity)
                else { return false }
            case .field:
                guard columns[index] >= 0 else { continue }
                let a = batch.row(first)[columns[index]], b = batch.row(second)[columns[index]]
                guard a.tag == b.tag, a.length == b.length, a.scale == b.scale else { return false }
                guard a.isSlice ? a.slice.elementsEqual(b.slice) : a.bits == b.bits else {
                    return false
                }
            }
        }
        return true
    }

    private mutating func resolve(_ schema: Schema) {
        self.schema = schema
        columns = template.pieces.map { piece in
            guard case .field(let name) = piece else { return -1 }
            return schema.index(of: name) ?? -1
        }
    }

    private mutating func append(_ cell: Cell) {
        let start = bytes.count
        switch cell.tag {
        case .missing, .null: break
        case .int: append(cell.int64)
        case .string, .bytes, .number, .json: bytes.append(contentsOf: cell.slice)
        case .bool: bytes.append(contentsOf: String(cell.bits != 0).utf8)
        case .double: bytes.append(contentsOf: String(Double(bitPattern: cell.bits)).utf8)
        case .decimal:
            guard case .decimal(let text) = Value(cell) else { break }
            bytes.append(contentsOf: text.utf8)
        case .date, .time, .timestamp, .localTimestamp:
            bytes.append(contentsOf: (TimeText.text(cell) ?? String(cell.int64)).utf8)
        }
        Self.sanitize(&bytes, from: start)
    }

    private mutating func append(_ number: Int64) {
        if number >= 0, number < 10 {
            bytes.append(0x30 + UInt8(number))
        } else {
            bytes.append(contentsOf: String(number).utf8)
        }
    }

    /// Makes what a record says part of a name: no slash, no control character, no dot in front,
    /// not empty and not too long.
    static func sanitize(_ bytes: inout [UInt8], from start: Int) {
        guard bytes.count > start else {
            bytes += missing
            return
        }
        if bytes.count - start > valueLimit {
            let hash = bytes[start...].reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
                ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3
            }
            bytes.removeLast(bytes.count - start - valueLimit)
            // Not in the middle of a character.
            while let last = bytes.last, (0x80..<0xc0).contains(last) { bytes.removeLast() }
            if let last = bytes.last, last >= 0xc0 { bytes.removeLast() }
            bytes += Array("~".utf8) + Array(String(hash, radix: 16).utf8)
        }
        for index in start..<bytes.count
        where bytes[index] < 0x20 || bytes[index] == 0x7f
            || bytes[index] == UInt8(ascii: "/")
        {
            bytes[index] = UInt8(ascii: "_")
        }
        if bytes[start] == UInt8(ascii: ".") { bytes[start] = UInt8(ascii: "_") }
    }
}
