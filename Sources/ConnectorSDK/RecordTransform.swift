/// A transform written record by record.
///
/// ```swift
/// final class Overdue: RecordTransform {
///     static let name = "Overdue"
///     static let summary = "Keeps unpaid orders, and says what is owed."
///     static let configuration = ConfigSpec()
///
///     init(configuration: Configuration) throws(ConnectorError) {}
///
///     func transform(_ record: RecordView) throws(ConnectorError) -> Bool {
///         guard record["paid"] != true else { return false }
///         record.set("owed", record["amount"].value)
///         return true
///     }
/// }
/// ```
///
/// A transform that needs less than a few nanoseconds for a record, or other columns or topics,
/// implements ``Transform`` itself.
public protocol RecordTransform: Transform {
    /// Looks at a record, may change it, and says whether it is kept.
    ///
    /// Tombstones, which have no fields, are kept without being asked for, so that deletes are not
    /// lost. An error whose disposition is `.rejectRecord` rejects this record; any other ends the
    /// task.
    func transform(_ record: RecordView) throws(ConnectorError) -> Bool
}

extension RecordTransform {
    /// Asks ``transform(_:)`` about every record.
    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.requireFields(for: Self.self) else { return }
        try batch.filterRecords { (record) throws(ConnectorError) in try transform(record) }
    }
}

extension ConnectorError.Code {
    /// A transform that names fields met a record whose value has none.
    public static let noFields = Self("transform.no_fields")
}

extension RecordBatch {
    /// Whether the values have fields; if not, rejects all records but tombstones.
    public func requireFields(for transform: any Transform.Type) -> Bool {
        guard schema.isOpaque else { return true }
        let error = ConnectorError(
            .noFields,
            .rejectRecord,
            "The transform \(transform.name) needs fields, and the value is opaque.",
            hint: "Choose a format or a value.converter that gives fields, such as json."
        )
        reject(
            indices.filter { !metadata($0).pointee.isTombstone }.map { (row: $0, error: error) }
        )
        return false
    }

    /// Keeps the records for which `body` returns true, and tombstones, in order.
    ///
    /// `body` may change the record it is given. A record for which it throws an error whose
    /// disposition is `.rejectRecord` is rejected; any other error ends the whole, and the batch is
    /// of no more use.
    @inlinable
    public func filterRecords(
        _ body: (RecordView) throws(ConnectorError) -> Bool
    ) throws(ConnectorError) {
        let lookup = FieldLookup()
        var kept = 0
        for row in 0..<count {
            var isKept = true
            if !metadata(row).pointee.isTombstone {
                do throws(ConnectorError) {
                    isKept = try body(RecordView(self, row, lookup))
                } catch {
                    try note(error, row: row)
                    isKept = false
                }
            }
            if isKept {
                if kept != row { moveRow(row, to: kept) }
                kept += 1
            }
        }
        rowCount = kept
    }

    @usableFromInline
    internal func note(_ error: ConnectorError, row: Int) throws(ConnectorError) {
        guard error.disposition == .rejectRecord else { throw error }
        reject(RejectedRecord(row: row, of: self, error: error))
    }
}
