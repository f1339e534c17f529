internal import ConnectorSDK

extension JSONRecordParser {
    /// Finds a column for every field on the tape, widening the batch's schema where needed.
    ///
    /// - Returns: `false` when the order of the fields contradicts the schema's.
    internal func makeColumns(_ batch: RecordBatch, row: Int) -> Bool {
        if let newCount = resolve(shape) {
            if newCount == 0 { return true }
            if shape.count + newCount <= JSONLimits.fields {
                widen(batch, by: newCount)
                return true
            }
        }
        guard row == 0 else { return false }
        // Nobody relies on the columns yet, so another schema may take their place.
        remember(shape)
        if let known = recent.first(where: { resolve($0) == 0 }) {
            shape = known
        } else {
            shape = RecordShape(Schema(tape.entries.indices.map { Field(tape.name($0)) }))
            for index in tape.entries.indices { tape.entries[index].column = index }
        }
        batch.replaceValues(with: shape.schema)
        return true
    }

    /// Gives each field on the tape its column, or -1 when `shape` has none for it.
    ///
    /// - Returns: the number of fields without a column, or `nil` when the columns do not ascend.
    private func resolve(_ shape: RecordShape) -> Int? {
        var last = -1
        var missing = 0
        for index in tape.entries.indices {
            let entry = tape.entries[index]
            guard let column = shape.column(entry.name, count: entry.nameLength) else {
                tape.entries[index].column = -1
                missing += 1
                continue
            }
            guard column > last else { return nil }
            last = column
            tape.entries[index].column = column
        }
        return missing
    }

    /// Puts the tape's new fields into the schema, each before the column that follows it in the
    /// record; what nothing follows goes to the end, which costs least.
    private func widen(_ batch: RecordBatch, by newCount: Int) {
        let old = shape.schema.fields
        var fields: [Field] = []
        var source: [Int] = []
        fields.reserveCapacity(old.count + newCount)
        source.reserveCapacity(old.count + newCount)
        var pending: [Int] = []
        var copied = 0
        for index in tape.entries.indices {
            let column = tape.entries[index].column
            guard column >= 0 else {
                pending.append(index)
                continue
            }
            while copied < column { take(&copied) }
            place(&pending)
            tape.entries[index].column = fields.count
            take(&copied)
        }
        while copied < old.count { take(&copied) }
        let isAppended = source.elementsEqual(0..<old.count)
        place(&pending)

        func take(_ column: inout Int) {
            fields.append(old[column])
            source.append(column)
            column += 1
        }
        func place(_ entries: inout [Int]) {
            for entry in entries {
                tape.entries[entry].column = fields.count
                fields.append(Field(tape.name(entry)))
                source.append(-1)
            }
            entries.removeAll(keepingCapacity: true)
        }

        shape = RecordShape(Schema(fields))
        if isAppended {
            batch.widen(to: shape.schema)
        } else {
            batch.project(to: shape.schema, from: source)
        }
    }
}
