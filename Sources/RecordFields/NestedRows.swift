package import ConnectorSDK
internal import JSONRecords

/// Reads objects that are fields of records, such as the row in a captured change.
///
/// Where the schema says what is in the object, the types come back; else they are those of JSON.
package final class NestedRows {
    /// The columns, when the schema says.
    package let schema: Schema?
    private let parser = JSONRecordParser()
    private var restorer: TypeRestorer?

    /// Reads objects of a field's type.
    package init(_ type: FieldType) {
        if case .object(let fields) = type {
            let schema = Schema(fields)
            self.schema = schema
            let restorer = TypeRestorer(schema)
            self.restorer = restorer.isTrivial ? nil : restorer
        } else {
            schema = nil
            restorer = nil
        }
    }

    /// Gives a batch the columns of the objects.
    package func begin(_ batch: RecordBatch) { parser.begin(batch, schema: schema) }

    /// What became of an object.
    package enum Outcome {
        case read
        /// Its fields need another batch; nothing was changed.
        case conflict
        case refused(ConnectorError)
    }

    /// Puts an object's fields into a row whose cells are missing.
    ///
    /// The text is part of a record that was checked, with ``Chunk/padding`` bytes behind it.
    package func read(_ text: Cell, into batch: RecordBatch, row: Int) -> Outcome {
        guard text.tag == .json else { return .refused(Self.notARow) }
        switch parser.parse(text.slice, isValidUTF8: true, into: batch, row: row) {
        case .parsed: break
        case .conflict: return .conflict
        case .invalid: return .refused(Self.notARow)
        }
        guard let restorer else { return .read }
        // Fields that the schema does not know have become columns among the others.
        if restorer.schema !== batch.schema { self.restorer = TypeRestorer(batch.schema) }
        if let field = self.restorer?.restore(batch, row: row) {
            return .refused(Self.mismatch(field))
        }
        return .read
    }

    /// Gives key fields the types of the fields of the same name.
    package func restore(_ key: inout Cell, named name: String, in batch: RecordBatch) {
        guard let schema, let restorer, let column = schema.index(of: name), !key.isNil else {
            return
        }
        let type = schema.fields[column].type
        guard key.tag == .string || type == .double || type == .float else { return }
        if let cell = restorer.restore(key, as: type, batch) { key = cell }
    }

    private static let notARow = ConnectorError(
        .init("transform.no_row"),
        .rejectRecord,
        "The change holds no row as an object."
    )

    private static func mismatch(_ field: String) -> ConnectorError {
        ConnectorError(
            .init("transform.type_mismatch"),
            .rejectRecord,
            "The row's field \(field) does not hold what the record's schema says."
        )
    }
}
