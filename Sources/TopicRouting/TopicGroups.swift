package import ConnectorSDK

/// Takes a batch apart by the topics its records are to go to.
package enum TopicGroups {
    /// One batch for each topic, each with its records in order.
    ///
    /// - Parameters:
    ///   - batch: the records; it becomes one of the results when there is only one topic.
    ///   - topic: the topic of a row; `nil` for the batch's own.
    /// - Returns: the batches, by the first record of each.
    package static func split(_ batch: RecordBatch, by topic: (Int) -> String?) -> [RecordBatch] {
        var names: [String] = []
        var rows: [[Int]] = []
        for row in batch.indices {
            let name = topic(row) ?? batch.topic
            if let group = names.firstIndex(of: name) {
                rows[group].append(row)
            } else {
                names.append(name)
                rows.append([row])
            }
        }
        if names.count <= 1 {
            if let name = names.first { batch.topic = name }
            return [batch]
        }
        return zip(names, rows).map { name, rows in
            let part = RecordBatch()
            part.copyRows(batch.indices, of: batch)
            part.retain(batch)
            part.topic = name
            var next = rows[...]
            part.filter { row in
                guard next.first == row else { return false }
                next = next.dropFirst()
                return true
            }
            return part
        }
    }

    /// Splits by a field that holds the topic's name; records without it stay where they are.
    package static func split(_ batch: RecordBatch, byField name: String) -> [RecordBatch] {
        guard let column = batch.schema.index(of: name) else { return [batch] }
        return split(batch) { row in
            let cell = batch[row, column]
            guard cell.tag == .string, cell.length > 0 else { return nil }
            return String(decoding: cell.slice, as: UTF8.self)
        }
    }
}
