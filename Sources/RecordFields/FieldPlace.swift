package import ConnectorSDK
internal import JSONRecords

/// Where a path leads in the records of one schema: a column, and a way into its objects.
///
/// Made once for a schema; reading and writing then looks up no names but those inside of objects.
package final class FieldPlace {
    package let path: FieldPath
    /// The column of the path's first step.
    package let column: Int
    /// What the schema says of the value; of those inside of objects it seldom knows.
    package let field: Field
    /// Whether the value is inside of a column's objects.
    package let isNested: Bool
    private let names: NestedNames
    private let restorer: TypeRestorer?
    private let rewriter = NestedRewriter()
    private lazy var edits = EditTree([(path, ())])

    /// Whether the types that are declared of the column's objects do not include the value.
    package let isUndeclared: Bool

    /// Finds a path in a schema; `nil` when that has no such column.
    package init?(_ path: FieldPath, in schema: Schema) {
        guard let column = schema.index(of: path.first) else { return nil }
        self.path = path
        self.column = column
        isNested = path.isNested
        names = NestedNames(path.steps.dropFirst())
        let known = Self.field(path.steps.dropFirst(), in: schema.fields[column])
        field = known.field
        isUndeclared = known.isUndeclared
        let restorer = TypeRestorer(Schema([field]))
        self.restorer = isNested && !restorer.isTrivial ? restorer : nil
    }

    /// What is known of a field inside of `field`, and whether it is known that there is none.
    private static func field(
        _ steps: ArraySlice<String>,
        in field: Field
    ) -> (field: Field, isUndeclared: Bool) {
        guard let step = steps.first else { return (field, false) }
        guard case .object(let inner) = field.type else {
            return (Field(steps.last ?? step), false)
        }
        guard let next = inner.first(where: { $0.name == step }) else {
            return (Field(steps.last ?? step), true)
        }
        return Self.field(steps.dropFirst(), in: next)
    }

    /// The value in a row of cells: missing where the record does not have it, or has null instead
    /// of an object on the way.
    ///
    /// - Returns: `nil` when something on the way is neither an object nor null.
    @inlinable @inline(__always)
    package func read(_ cells: UnsafePointer<Cell>, in batch: RecordBatch) -> Cell? {
        isNested ? readNested(cells[column], in: batch) : cells[column]
    }

    @usableFromInline
    internal func readNested(_ outer: Cell, in batch: RecordBatch) -> Cell? {
        var cell = outer
        for index in 0..<names.count {
            if cell.isNil { return .missing }
            guard cell.tag == .json, cell.slice.first == UInt8(ascii: "{") else { return nil }
            guard let text = JSONMembers.value(of: names[index], in: cell.slice) else {
                return .missing
            }
            // Only the last one's escapes are of interest, and objects have none to be undone.
            cell = JSONText.cell(text, in: batch)
        }
        guard let restorer, !cell.isNil else { return cell }
        return restorer.restore(cell, as: field.type, batch) ?? cell
    }

    /// Puts a value there; objects that are absent or null on the way are made.
    ///
    /// - Returns: `false`, with nothing changed, when something on the way is no object, or the
    ///   value cannot stand in JSON.
    package func replace(
        _ cells: UnsafeMutablePointer<Cell>,
        in batch: RecordBatch,
        with cell: Cell
    ) -> Bool {
        guard isNested else {
            cells[column] = cell
            return true
        }
        return rewrite(&cells[column], in: batch, .replace(cell))
    }

    /// Takes the value out; where it is absent nothing changes.
    package func remove(_ cells: UnsafeMutablePointer<Cell>, in batch: RecordBatch) {
        guard isNested else { return cells[column] = .missing }
        _ = rewrite(&cells[column], in: batch, .remove)
    }

    private func rewrite(_ cell: inout Cell, in batch: RecordBatch, _ edit: NestedEdit) -> Bool {
        guard let node = edits.node(path.first) else { return false }
        return rewriter.rewrite(&cell, node, in: batch) { _, _ in edit }
    }
}

/// Names in UTF-8, to compare with those in texts.
package final class NestedNames {
    private let chunk: Chunk
    private var ranges: [Range<Int>] = []

    package init(_ names: some Collection<String>) {
        chunk = Chunk(copying: Array(names.joined().utf8))
        var start = 0
        for name in names {
            ranges.append(start..<start + name.utf8.count)
            start += name.utf8.count
        }
    }

    package var count: Int { ranges.count }

    package subscript(index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(chunk.bytes)[ranges[index]])
    }
}
