internal import ConnectorSDK

/// Takes fields out of records that a header of theirs lists.
internal struct FieldDropping {
    let header: String
    let fromKey: Bool
    /// Whether fields stay that are never null.
    let onlyOptional: Bool

    func apply(to batch: RecordBatch) {
        for row in batch.indices {
            for name in names(batch.metadata(row).pointee) {
                if let column = batch.schema.index(of: name),
                    !onlyOptional || batch.schema.fields[column].isOptional
                {
                    batch[row, column] = .missing
                }
                if fromKey, let column = batch.keySchema?.index(of: name) {
                    batch.keyRow(row)?[column] = .missing
                }
            }
        }
    }

    /// The names in the header: `a,b`, or a JSON array of texts.
    private func names(_ metadata: RecordMetadata) -> [String] {
        var reader = HeaderReader(bytes: metadata.headers)
        for _ in 0..<metadata.headerCount {
            guard let key = reader.next(), let value = reader.next() else { return [] }
            guard key.elementsEqual(header.utf8) else { continue }
            return String(decoding: value, as: UTF8.self)
                .split { $0 == "," || $0 == "[" || $0 == "]" || $0 == "\"" || $0.isWhitespace }
                .map(String.init)
        }
        return []
    }
}
