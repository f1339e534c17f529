internal import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// The fields of one schema whose values a transform changes, each by itself: columns, and fields
/// inside of their objects.
///
/// Null and absent values are left alone.
internal final class FieldChanges<Leaf> {
    /// A field that changes.
    struct Target {
        let path: FieldPath
        let leaf: Leaf
        /// Gives a value inside of an object the type that the schema says.
        fileprivate var restorer: TypeRestorer?
        fileprivate var type = FieldType.any
    }

    /// The columns as they are afterwards.
    let schema: Schema
    private var columns: [(column: Int, target: Target)] = []
    private var nested: [(column: Int, node: EditTree<Target>.Node)] = []
    private let rewriter = NestedRewriter()

    /// Finds fields in a schema; those that it does not have are left out.
    ///
    /// - Parameters:
    ///   - items: the fields, and what is known of each.
    ///   - schema: the columns before.
    ///   - change: what a field is once its value has changed.
    init(
        _ items: some Sequence<(path: FieldPath, leaf: Leaf)>,
        in schema: Schema,
        change: (Field, Leaf) -> Field
    ) {
        var fields = schema.fields
        var inner: [(FieldPath, Target)] = []
        for item in items {
            guard let column = schema.index(of: item.path.first) else { continue }
            var target = Target(path: item.path, leaf: item.leaf)
            fields[column] = Self.changed(fields[column], item.path.steps.dropFirst()) { field in
                target.type = field.type
                let restorer = TypeRestorer(Schema([field]))
                target.restorer = restorer.isTrivial ? nil : restorer
                return change(field, item.leaf)
            }
            if item.path.isNested {
                inner.append((item.path, target))
            } else {
                columns.append((column, target))
            }
        }
        for node in EditTree(inner).fields {
            guard let column = schema.index(of: node.step) else { continue }
            nested.append((column, node))
        }
        self.schema = fields == schema.fields ? schema : schema.retyped(fields)
    }

    private static func changed(
        _ field: Field,
        _ steps: ArraySlice<String>,
        _ change: (Field) -> Field
    ) -> Field {
        guard let step = steps.first else { return change(field) }
        guard case .object(var inner) = field.type,
            let index = inner.firstIndex(where: { $0.name == step })
        else { return field }
        inner[index] = changed(inner[index], steps.dropFirst(), change)
        var outer = field
        outer.type = .object(inner)
        return outer
    }

    /// Whether no field of the schema changes.
    var isEmpty: Bool { columns.isEmpty && nested.isEmpty }

    /// Changes the fields of all records, and rejects those with a value that cannot be.
    ///
    /// The caller sees to ``RecordBatch/rawIsJSON``.
    ///
    /// - Parameters:
    ///   - batch: the records.
    ///   - part: the part that the fields are in.
    ///   - refusal: the reason for the record of a value that cannot be changed.
    ///   - convert: what becomes of a value; `nil` when it cannot be.
    @inline(__always)
    func apply(
        to batch: RecordBatch,
        _ part: RecordPart,
        refusal: (FieldPath, Leaf) -> ConnectorError,
        _ convert: (Cell, Leaf) -> Cell?
    ) {
        batch.adopt(schema, part)
        var failures: [(row: Int, error: ConnectorError)] = []
        for (column, target) in columns {
            let leaf = target.leaf
            for row in batch.indices {
                let place = batch.cells(of: part, row) + column
                let cell = place.pointee
                if cell.isNil { continue }
                if let changed = convert(cell, leaf) {
                    place.pointee = changed
                } else {
                    failures.append((row, refusal(target.path, leaf)))
                }
            }
        }
        if !nested.isEmpty { applyInside(batch, part, &failures, refusal, convert) }
        batch.rejectOnce(failures)
    }

    private func applyInside(
        _ batch: RecordBatch,
        _ part: RecordPart,
        _ failures: inout [(row: Int, error: ConnectorError)],
        _ refusal: (FieldPath, Leaf) -> ConnectorError,
        _ convert: (Cell, Leaf) -> Cell?
    ) {
        for (column, node) in nested {
            for row in batch.indices {
                let place = batch.cells(of: part, row) + column
                guard place.pointee.tag == .json else { continue }
                var refused: Target?
                let isDone = rewriter.rewrite(&place.pointee, node, in: batch) { cell, target in
                    if cell.isNil { return .keep }
                    guard let changed = convert(Self.restore(cell, target, batch), target.leaf)
                    else {
                        refused = target
                        return .refuse
                    }
                    return .replace(changed)
                }
                if !isDone, let refused {
                    failures.append((row, refusal(refused.path, refused.leaf)))
                }
            }
        }
    }

    private static func restore(_ cell: Cell, _ target: Target, _ batch: RecordBatch) -> Cell {
        target.restorer.flatMap { $0.restore(cell, as: target.type, batch) } ?? cell
    }
}
