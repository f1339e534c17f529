internal import ConnectorSDK
internal import Glibc

/// Makes records, each from its number alone.
final class RecordMaker {
    private struct Column {
        var template: FieldTemplate
        /// The texts of a choice, as cells.
        var choices: [Cell] = []
    }

    let schema: Schema
    private let seed: UInt64
    private var columns: [Column]
    /// Holds the texts of choices and the words; batches retain it.
    private let texts: Chunk
    private let words: [Cell]

    init(_ fields: [(name: String, template: FieldTemplate)], seed: UInt64) {
        self.seed = seed
        schema = Schema(fields.map { Field($0.name, $0.template.type, isOptional: false) })
        var all = PersonNames.words
        for field in fields {
            if case .choice(let choices) = field.template { all += choices }
        }
        let texts = Chunk(capacity: all.reduce(0) { $0 + $1.utf8.count })
        var used = 0
        let cells = all.map { text -> Cell in
            let room = UnsafeMutableRawBufferPointer(
                start: texts.base + used,
                count: text.utf8.count
            )
            room.copyBytes(from: text.utf8)
            used += text.utf8.count
            return .slice(.string, UnsafeRawBufferPointer(room))
        }
        self.texts = texts
        words = Array(cells.prefix(PersonNames.words.count))
        var rest = cells.dropFirst(PersonNames.words.count)
        columns = []
        for field in fields {
            var column = Column(template: field.template)
            if case .choice(let choices) = field.template {
                column.choices = Array(rest.prefix(choices.count))
                rest = rest.dropFirst(choices.count)
            }
            columns.append(column)
        }
    }

    /// Appends the records of these numbers, counted from 0.
    func append(_ numbers: Range<Int64>, to batch: RecordBatch) {
        batch.retain(texts)
        let now = Self.now()
        for number in numbers {
            let row = batch.appendRow()
            let cells = batch.row(row)
            for column in columns.indices {
                var bits = RandomBits(
                    seed: seed,
                    record: UInt64(bitPattern: number),
                    field: UInt64(column)
                )
                cells[column] = cell(column, number, now, &bits, batch)
            }
            batch.metadata(row).pointee.line = number &+ 1
        }
    }

    @inline(__always)
    private func cell(
        _ column: Int,
        _ number: Int64,
        _ now: Int64,
        _ bits: inout RandomBits,
        _ batch: RecordBatch
    ) -> Cell {
        switch columns[column].template {
        case .sequence(let start, let step): return .int(start &+ number &* step)
        case .int(let range): return .int(bits.next(in: range))
        case .double(let range):
            let width = range.upperBound - range.lowerBound
            return .double(min(range.upperBound, range.lowerBound + width * bits.nextUnit()))
        case .decimal(let range, let scale): return .decimal(bits.next(in: range), scale: scale)
        case .bool(let share): return .bool(bits.nextUnit() < share)
        case .uuid: return uuid(&bits, batch)
        case .choice:
            let count = UInt64(columns[column].choices.count)
            return columns[column].choices[Int(bits.next(below: count))]
        case .timestamp(let start, let step):
            return .timestamp(microseconds: start &+ number &* step)
        case .now: return .timestamp(microseconds: now)
        case .text(let range): return text(range, &bits, batch)
        }
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    /// A UUID of version 4.
    private func uuid(_ bits: inout RandomBits, _ batch: RecordBatch) -> Cell {
        let high = bits.next() & 0xffff_ffff_ffff_0fff | 0x4000
        let low = bits.next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
        let text = batch.arena.allocate(36)
        var written = 0
        for digit in 0..<32 {
            if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                text.storeBytes(of: 0x2d, toByteOffset: written, as: UInt8.self)
                written &+= 1
            }
            let part = digit < 16 ? high : low
            let value = UInt8(truncatingIfNeeded: part >> UInt64(60 &- (digit & 15) &* 4)) & 15
            let letter = value < 10 ? 0x30 &+ value : 0x57 &+ value
            text.storeBytes(of: letter, toByteOffset: written, as: UInt8.self)
            written &+= 1
        }
        return .slice(.string, UnsafeRawBufferPointer(start: text, count: 36))
    }

    /// Words with spaces between them; the last one is cut off where the text must end.
    private func text(
        _ range: ClosedRange<Int>,
        _ bits: inout RandomBits,
        _ batch: RecordBatch
    ) -> Cell {
        let length = Int(bits.next(in: Int64(range.lowerBound)...Int64(range.upperBound)))
        let text = batch.arena.allocate(length)
        var used = 0
        while used < length {
            let word = words[Int(bits.next(below: UInt64(words.count)))].slice
            let count = min(word.count, length - used)
            if let from = word.baseAddress {
                (text + used).copyMemory(from: from, byteCount: count)
            }
            used += count
            // No space at the very end.
            if used + 1 < length {
                text.storeBytes(of: 0x20, toByteOffset: used, as: UInt8.self)
                used += 1
            } else if used + 1 == length {
                text.storeBytes(of: 0x2e, toByteOffset: used, as: UInt8.self)
                used += 1
            }
        }
        return .slice(.string, UnsafeRawBufferPointer(start: text, count: length))
    }
}
