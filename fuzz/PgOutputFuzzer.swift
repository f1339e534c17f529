internal import LogicalReplication

/// Reads every byte of every column, so that the address sanitizer sees it.
private func touch(_ row: Tuple) -> UInt8 {
    (0..<row.count).reduce(0) { sum, column in row[column].bytes.reduce(sum, ^) }
}

private func touch(_ message: ChangeMessage) -> UInt8 {
    switch message {
    case .origin(_, let name): name.reduce(0, ^)
    case .message(let message): message.prefix.reduce(message.content.reduce(0, ^), ^)
    case .relation(let relation): UInt8(truncatingIfNeeded: relation.columns.count)
    default: 0
    }
}

/// The input is a stream: each message is a length of one byte and as many bytes.
func feedPgOutput(_ input: UnsafeBufferPointer<UInt8>) {
    // A copy of the exact size for each message, so that reading past its end is seen.
    var rest = input[...]
    let decoder = PgOutputDecoder()
    var relations = RelationCache<Relation>()
    var sum: UInt8 = 0
    while let length = rest.popFirst() {
        let message = Array(rest.prefix(Int(length)))
        rest = rest.dropFirst(Int(length))
        message.withUnsafeBytes { bytes in
            if let stream = try? StreamMessage(bytes), case .data(_, _, let payload) = stream {
                sum ^= payload.reduce(0, ^)
            }
            guard let change = try? decoder.decode(bytes) else { return }
            sum ^= touch(change)
            // Rows point into the message, so only those of this one may be read.
            switch change {
            case .relation(let relation): relations.set(relation.id, to: relation)
            case .insert(let id):
                _ = try? relations.value(id)
                sum ^= touch(decoder.newRow)
            case .update: sum ^= touch(decoder.newRow) ^ touch(decoder.oldRow)
            case .delete: sum ^= touch(decoder.oldRow)
            default: break
            }
        }
    }
    use(sum)
}
