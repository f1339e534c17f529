extension RecordBatch {
    /// Replaces the columns of an empty batch.
    internal func setColumns(schema: Schema, keySchema: Schema?) {
        self.schema = schema
        rowStride = max(schema.count, 1)
        setKeyColumns(keySchema)
    }

    private func setKeyColumns(_ schema: Schema?) {
        keySchema = schema
        keyStride = schema?.count ?? 0
        let needed = keyStride * rowCapacity
        guard schema != nil else {
            // The next records may have keys again.
            spareKeyCells = spareKeyCells ?? keyCells
            keyCells = nil
            return
        }
        keyCells = keyCells ?? spareKeyCells
        spareKeyCells = nil
        guard needed > keyCapacity else { return }
        keyCells?.deallocate()
        keyCells = .allocate(capacity: needed)
        keyCapacity = needed
    }

    /// Makes room for at least one more row, doubling.
    @usableFromInline
    internal func growRows() { growRows(by: 1) }

    /// Makes room for at least `extra` more rows, at least doubling.
    internal func growRows(by extra: Int) {
        let rows = max(rowCapacity * 2, 256, count + extra)
        if count + extra > rowCapacity {
            let metadata = UnsafeMutablePointer<RecordMetadata>.allocate(capacity: rows)
            metadata.update(from: metadataBase, count: count)
            metadataBase.deallocate()
            metadataBase = metadata
            if let old = keyCells {
                let keys = UnsafeMutablePointer<Cell>.allocate(capacity: rows * keyStride)
                keys.update(from: old, count: count * keyStride)
                old.deallocate()
                keyCells = keys
                keyCapacity = rows * keyStride
            }
            rowCapacity = rows
        }
        let wanted = max(cellCapacity, (count + extra) * rowStride)
        guard (count + extra) * rowStride > cellCapacity else { return }
        reallocateCells(capacity: max(cellCapacity * 2, wanted), stride: rowStride)
    }

    private func reallocateCells(capacity: Int, stride: Int) {
        let new = UnsafeMutablePointer<Cell>.allocate(capacity: capacity)
        let width = min(rowStride, stride)
        for row in 0..<count {
            let target = new + row * stride
            target.update(from: cells + row * rowStride, count: width)
            for column in width..<stride { target[column] = .missing }
        }
        cells.deallocate()
        cells = new
        cellCapacity = capacity
        rowStride = stride
    }

    /// Gives the rows the columns of `schema`, whose first columns are those of the present one.
    ///
    /// New cells are missing. Costs nothing while the stride suffices.
    public func widen(to schema: Schema) {
        if schema.count > rowStride {
            let stride = max(schema.count, rowStride + rowStride / 2)
            reallocateCells(capacity: max(cellCapacity, (count + 1) * stride), stride: stride)
        } else {
            for row in 0..<count {
                for column in self.schema.count..<max(schema.count, self.schema.count) {
                    cells[row * rowStride + column] = .missing
                }
            }
        }
        self.schema = schema
        rawIsJSON = false
    }

    /// Renames columns: `schema` has the same count, and cells stay where they are.
    public func rename(to schema: Schema) {
        precondition(schema.count == self.schema.count, "A renamed schema has as many fields.")
        self.schema = schema
        rawIsJSON = false
    }

    /// Gives the rows the columns of `schema`; column `c` takes the old column `source[c]`.
    ///
    /// - Parameters:
    ///   - schema: the new columns.
    ///   - source: for each new column the old one, or -1 for a missing cell.
    public func project(to schema: Schema, from source: [Int]) {
        precondition(source.count == schema.count, "One source column for each new column.")
        let stride = max(schema.count, 1)
        let capacity = max(cellCapacity, (count + 1) * stride)
        let new = UnsafeMutablePointer<Cell>.allocate(capacity: capacity)
        for row in 0..<count {
            let old = cells + row * rowStride
            let target = new + row * stride
            for column in 0..<stride {
                let from = column < source.count ? source[column] : -1
                target[column] = from < 0 ? .missing : old[from]
            }
        }
        cells.deallocate()
        cells = new
        cellCapacity = capacity
        rowStride = stride
        self.schema = schema
        rawIsJSON = false
    }

    /// Gives every record a key of the columns of `schema`, all missing, to be filled by the caller.
    public func addKeys(_ schema: Schema) {
        setKeyColumns(schema)
        guard let keyCells else { return }
        for cell in 0..<count * keyStride { keyCells[cell] = .missing }
    }

    /// Replaces every opaque value by the columns of `schema`, all missing, to be filled.
    ///
    /// ``RecordMetadata/raw`` still has the opaque bytes.
    public func replaceValues(with schema: Schema) {
        let stride = max(schema.count, 1)
        if count * stride > cellCapacity || stride != rowStride {
            if max(count, 1) * stride > cellCapacity {
                cells.deallocate()
                cellCapacity = max(count, 1) * stride * 2
                cells = .allocate(capacity: cellCapacity)
            }
            rowStride = stride
        }
        for cell in 0..<count * stride { cells[cell] = .missing }
        self.schema = schema
        rawIsJSON = false
    }
}
