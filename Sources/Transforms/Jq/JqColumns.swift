internal import ConnectorSDK
internal import Glibc
internal import JQPrograms
internal import JSONRecords

/// Puts the members of objects into the columns of a schema that has them all, in order: as cells
/// that are what the parser would make of the object's text.
internal final class JqColumns {
    let schema: Schema
    private let names: OutputBuffer
    /// Where each name ends.
    private let ends: [Int]

    init(_ schema: Schema) {
        self.schema = schema
        let names = OutputBuffer(capacity: 256)
        ends = schema.fields.map { field in
            names.append(field.name)
            return names.count
        }
        self.names = names
    }

    /// Sets the cells of a row, which are all missing.
    ///
    /// - Returns: `false` when the object's text has to be parsed; some cells may be set then.
    func fill(
        _ cells: UnsafeMutablePointer<Cell>,
        from members: JQMembers,
        of batch: RecordBatch
    ) -> Bool {
        var column = 0
        for index in 0..<members.count {
            let name = members.name(index)
            while column < ends.count, !isName(name, of: column) { column += 1 }
            guard column < ends.count, let cell = cell(members.cell(index), batch) else {
                return false
            }
            cells[column] = cell
            column += 1
        }
        return true
    }

    @inline(__always)
    private func isName(_ name: UnsafeRawBufferPointer, of column: Int) -> Bool {
        let start = column == 0 ? 0 : ends[column - 1]
        guard name.count == ends[column] - start else { return false }
        guard let bytes = name.baseAddress, !name.isEmpty else { return name.isEmpty }
        return memcmp(bytes, names.base + start, name.count) == 0
    }

    /// The cell with what it points to copied into the batch.
    @inline(__always)
    private func cell(_ cell: Cell, _ batch: RecordBatch) -> Cell? {
        guard cell.isSlice else { return cell }
        // Only a text of this length can be nested too deeply.
        if cell.tag == .json, cell.length > JSONLimits.depth { return nil }
        let copy = batch.arena.copy(cell.slice)
        return cell.tag == .number ? JSONNumber.cell(copy) : .slice(cell.tag, copy)
    }
}
