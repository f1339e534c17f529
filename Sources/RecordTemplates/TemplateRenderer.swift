public import ConnectorSDK

/// Finds the name of each record, without an allocation as long as names repeat.
public struct TemplateRenderer {
    /// What is done to what a record says.
    public enum Style: Sendable {
        /// It becomes part of a file's name: see ``FileNameText``. What is absent or empty reads
        /// `__missing__`.
        case fileName
        /// It becomes part of a URL's path or query: all but letters, digits and `-._~` is written
        /// as `%2F`.
        case urlPart
        /// It is taken as it is.
        case verbatim
    }

    private let template: RecordTemplate
    private let isConstant: Bool
    private let style: Style
    /// The name rendered last, as UTF-8.
    public private(set) var bytes: [UInt8] = []
    private var schema: Schema?
    private var columns: [Int] = []

    /// Makes a renderer, for one task.
    public init(_ template: RecordTemplate, _ style: Style) {
        self.template = template
        isConstant = template.isConstantInPartition
        self.style = style
    }

    /// Renders the name of a row into ``bytes``.
    ///
    /// - Returns: `nil`, or what the record lacks, such as `${field:country}`: an absent, null or
    ///   empty field, or a time. In a file's name nothing is lacking.
    @discardableResult
    public mutating func render(_ batch: RecordBatch, row: Int) -> String? {
        if schema !== batch.schema { resolve(batch.schema) }
        bytes.removeAll(keepingCapacity: true)
        var lacking: String?
        for (index, piece) in template.pieces.enumerated() {
            let start = bytes.count
            switch piece {
            case .text(let text): bytes.append(contentsOf: text.utf8)
            case .topic: bytes.append(contentsOf: batch.topic.utf8)
            case .table: appendTable(batch, row)
            case .partition: append(Int64(max(0, batch.metadata(row).pointee.partition)))
            case .timestamp(let pattern):
                let time = batch.metadata(row).pointee.timestamp
                if time != RecordMetadata.noTimestamp { pattern.append(time, to: &bytes) }
                guard bytes.count == start else { continue }
                if let name = close(piece, from: start) { lacking = name }
            case .field:
                let column = columns[index]
                append(column < 0 ? .missing : batch.row(row)[column])
                if let name = close(piece, from: start) { lacking = name }
            }
        }
        return lacking
    }

    /// Does to a record's own words what the style says, and tells what is lacking.
    private mutating func close(_ piece: RecordTemplate.Piece, from start: Int) -> String? {
        switch style {
        case .fileName:
            FileNameText.clean(&bytes, from: start)
            return nil
        case .urlPart, .verbatim:
            if style == .urlPart { Self.escape(&bytes, from: start) }
            guard bytes.count == start else { return nil }
            return if case .field(let name) = piece { "${field:\(name)}" } else { "${timestamp}" }
        }
    }

    private static func escape(_ bytes: inout [UInt8], from start: Int) {
        func isPlain(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                true
            default: false
            }
        }
        // Dots alone are steps through the path.
        let isStep = bytes[start...].allSatisfy { $0 == UInt8(ascii: ".") }
        guard isStep || !bytes[start...].allSatisfy(isPlain) else { return }
        let digits = Array("0123456789ABCDEF".utf8)
        let text = bytes[start...].flatMap { byte in
            isPlain(byte) && !isStep
                ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        bytes.replaceSubrange(start..., with: text)
    }

    /// How many rows from `row`, which was rendered, have its name; at least 1.
    ///
    /// The batch is of one partition, as a sink gets it.
    public func runLength(_ batch: RecordBatch, from row: Int) -> Int {
        if isConstant { return batch.count - row }
        var end = row + 1
        while end < batch.count, isSame(batch, row, end) { end += 1 }
        return end - row
    }

    private func isSame(_ batch: RecordBatch, _ first: Int, _ second: Int) -> Bool {
        for (index, piece) in template.pieces.enumerated() {
            switch piece {
            case .text, .topic, .partition: continue
            case .table:
                guard Self.haveOneTable(batch, first, second) else { return false }
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

    private mutating func appendTable(_ batch: RecordBatch, _ row: Int) {
        let metadata = batch.metadata(row).pointee
        let start = bytes.count
        if let name = HeaderReader.value(of: CapturedChangeHeader.table, in: metadata) {
            bytes.append(contentsOf: name)
            if style == .fileName { FileNameText.clean(&bytes, from: start) }
            if style == .urlPart { Self.escape(&bytes, from: start) }
        }
        guard bytes.count == start else { return }
        // Topics of captured tables are named `prefix.schema.table`.
        let topic = batch.topic.utf8
        let dot = topic.lastIndex(of: UInt8(ascii: ".")).map(topic.index(after:))
        let name = dot.map { topic[$0...] } ?? topic[...]
        bytes.append(contentsOf: name.isEmpty ? topic[...] : name)
    }

    private static func haveOneTable(_ batch: RecordBatch, _ first: Int, _ second: Int) -> Bool {
        let a = batch.metadata(first).pointee, b = batch.metadata(second).pointee
        if a.headerCount == 0, b.headerCount == 0 { return true }
        let left = HeaderReader.value(of: CapturedChangeHeader.table, in: a)
        let right = HeaderReader.value(of: CapturedChangeHeader.table, in: b)
        guard let left, let right else { return left == nil && right == nil }
        return left.elementsEqual(right)
    }

    private mutating func append(_ cell: Cell) {
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
    }

    private mutating func append(_ number: Int64) {
        if number >= 0, number < 10 {
            bytes.append(0x30 + UInt8(number))
        } else {
            bytes.append(contentsOf: String(number).utf8)
        }
    }
}
