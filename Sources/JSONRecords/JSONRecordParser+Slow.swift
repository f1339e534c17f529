internal import ConnectorSDK

/// The fields of one record in order, each name once, before they have columns.
internal struct RecordTape {
    struct Entry {
        var name: UnsafePointer<UInt8>
        var nameLength: Int
        var cell: Cell
        var column: Int
    }

    private(set) var names = NameTable()
    var entries: [Entry] = []
    /// How many fields the last record had that was parsed this way.
    var lastFieldCount = 0

    mutating func removeAll() {
        names.removeAll()
        entries.removeAll(keepingCapacity: true)
    }

    /// Adds a field, or replaces the cell of an earlier one with its name.
    mutating func add(_ name: UnsafePointer<UInt8>, count: Int, cell: Cell) {
        let (index, isNew) = names.insert(name, count: count)
        if isNew {
            entries.append(Entry(name: name, nameLength: count, cell: cell, column: -1))
        } else {
            entries[index].cell = cell
        }
    }

    func name(_ index: Int) -> String {
        let entry = entries[index]
        return String(
            decoding: UnsafeBufferPointer(start: entry.name, count: entry.nameLength),
            as: UTF8.self
        )
    }
}

extension JSONRecordParser {
    /// Parses a record of any shape, and finds the first error of one that is refused.
    @inline(never)
    internal func parseSlowly(
        _ start: UnsafePointer<UInt8>,
        to end: UnsafePointer<UInt8>,
        into batch: RecordBatch,
        row: Int
    ) -> Outcome {
        clear(batch, row: row)
        tape.removeAll()
        var scanner = JSONScanner(from: start, to: end)
        scanner.skipSpace()
        let isObject = scanner.at < end && scanner.at[0] == UInt8(ascii: "{")
        guard isObject ? readObject(&scanner, batch) : readScalar(&scanner, batch) else {
            return .invalid(scanner.error)
        }
        scanner.skipSpace()
        guard scanner.at == end else {
            _ = scanner.fail(.trailingCharacters)
            return .invalid(scanner.error)
        }
        tape.lastFieldCount = tape.entries.count
        guard makeColumns(batch, row: row) else { return .conflict }
        let cells = batch.row(row)
        for entry in tape.entries { cells[entry.column] = entry.cell }
        return .parsed
    }

    private func clear(_ batch: RecordBatch, row: Int) {
        let cells = batch.row(row)
        for column in 0..<batch.schema.count { cells[column] = .missing }
    }

    private func readScalar(_ scanner: inout JSONScanner, _ batch: RecordBatch) -> Bool {
        guard let cell = readValue(&scanner, batch, depth: 0) else { return false }
        let name = batch.arena.allocate(scalarField.utf8.count)
            .bindMemory(to: UInt8.self, capacity: scalarField.utf8.count)
        for (index, byte) in scalarField.utf8.enumerated() { name[index] = byte }
        tape.add(name, count: scalarField.utf8.count, cell: cell)
        return true
    }

    private func readObject(_ scanner: inout JSONScanner, _ batch: RecordBatch) -> Bool {
        scanner.at += 1
        scanner.skipSpace()
        if scanner.at < scanner.end, scanner.at[0] == UInt8(ascii: "}") {
            scanner.at += 1
            return true
        }
        while true {
            let quote = scanner.at
            guard scanner.expect(UInt8(ascii: "\"")), scanner.string() else { return false }
            let name = Self.text(quote + 1, to: scanner.at - 1, batch)
            scanner.skipSpace()
            guard scanner.expect(UInt8(ascii: ":")) else { return false }
            scanner.skipSpace()
            guard let cell = readValue(&scanner, batch, depth: 1) else { return false }
            tape.add(
                name.slice.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) } ?? quote,
                count: Int(name.length),
                cell: cell
            )
            guard tape.entries.count <= JSONLimits.fields else {
                return scanner.fail(.tooManyFields)
            }
            scanner.skipSpace()
            if scanner.at < scanner.end, scanner.at[0] == UInt8(ascii: "}") {
                scanner.at += 1
                return true
            }
            guard scanner.expect(UInt8(ascii: ",")) else { return false }
            scanner.skipSpace()
        }
    }

    private func readValue(
        _ scanner: inout JSONScanner,
        _ batch: RecordBatch,
        depth: Int
    ) -> Cell? {
        let start = scanner.at
        guard scanner.value(depth: depth) else { return nil }
        switch start[0] {
        case UInt8(ascii: "\""): return Self.text(start + 1, to: scanner.at - 1, batch)
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "t"): return .bool(true)
        case UInt8(ascii: "f"): return .bool(false)
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return .slice(
                .json,
                UnsafeRawBufferPointer(start: start, count: scanner.at - start)
            )
        default: return JSONNumber.cell(start, to: scanner.at)
        }
    }

    private static func text(
        _ start: UnsafePointer<UInt8>,
        to end: UnsafePointer<UInt8>,
        _ batch: RecordBatch
    ) -> Cell {
        let bytes = UnsafeBufferPointer(start: start, count: end - start)
        guard bytes.contains(UInt8(ascii: "\\")) else {
            return .slice(.string, UnsafeRawBufferPointer(bytes))
        }
        return batch.unescape(start, to: end)
    }
}
