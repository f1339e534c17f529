internal import ConnectorSDK

/// Keeps together what transforms have made of one record: it is delivered whole or not at all.
///
/// D6: a dead letter holds the record as it came. Were a part of what it became delivered all the
/// same, a replay of the letter would deliver that part twice.
enum RecordGroups {
    /// Whether some record has become several in these batches, whose rows are numbered.
    static func exist(in batches: [RecordBatch]) -> Bool {
        var last: UInt32?
        for batch in batches {
            for row in batch.indices {
                let sequence = batch.metadata(row).pointee.sequence
                if sequence == last { return true }
                last = sequence
            }
        }
        return false
    }

    /// Takes out of `batches` what else became of records that were rejected, and leaves one
    /// rejection of each: those from `start` on are of these batches.
    static func withdraw(
        from batches: [RecordBatch],
        _ rejections: inout [Rejection],
        after start: Int
    ) {
        var rejected: Set<UInt32> = []
        var kept = rejections.prefix(start)
        for rejection in rejections[start...]
        where rejection.record.row < 0 || rejected.insert(rejection.record.sequence).inserted {
            kept.append(rejection)
        }
        rejections = Array(kept)
        for batch in batches {
            batch.filter { !rejected.contains(batch.metadata($0).pointee.sequence) }
        }
    }

    /// Keeps one rejection of each record of a partition; they ascend by offset.
    static func mergeByOffset(_ rejections: inout [Rejection]) {
        var last: Int64?
        rejections.removeAll { rejection in
            defer { last = rejection.record.offset }
            return rejection.record.offset == last
        }
    }
}
