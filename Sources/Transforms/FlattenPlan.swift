internal import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// How the records of one schema are flattened, as far as it is known: fields of objects that no
/// schema declares are added as they are met.
internal final class FlattenPlan {
    /// A name in an object.
    private final class Node {
        let path: String
        let name: NestedNames
        var children: [Node] = []
        /// Which of the leaves it is, once it was met with a value that is no object.
        var leaf: Int?
        /// The child that probably comes next: objects mostly have their fields in one order.
        var expected = 0
        var type = FieldType.any
        var isDeclared = false

        init(_ name: String, path: String) {
            self.path = path
            self.name = NestedNames([name])
        }
    }

    /// A value that is to become a field.
    private struct Value {
        var row: Int
        var leaf: Int
        var cell: Cell
    }

    /// A schema of ever new fields is begun anew beyond this. (D7)
    private static let leafLimit = 10_000

    private let source: Schema
    private let delimiter: String
    /// The columns that have objects, by column.
    private var roots: [Node?]
    /// The columns that have something else than objects in some record.
    private var keeps: [Bool]
    private var leaves: [(column: Int, field: Field, restorer: TypeRestorer?)] = []
    private var values: [Value] = []
    private var flat: Schema?
    private var projection: [Int] = []
    private var places: [Int] = []

    init(_ schema: Schema, delimiter: String) {
        source = schema
        self.delimiter = delimiter
        roots = Array(repeating: nil, count: schema.count)
        keeps = Array(repeating: false, count: schema.count)
        begin()
    }

    /// Knows what the schema declares, and nothing else.
    private func begin() {
        leaves = []
        flat = nil
        for (column, field) in source.fields.enumerated() {
            roots[column] = nil
            guard case .object(let inner) = field.type else { continue }
            let node = Node(field.name, path: field.name)
            roots[column] = node
            declare(inner, in: node, column, isOptional: field.isOptional)
        }
    }

    /// Adds the leaves of objects whose fields are declared.
    private func declare(_ fields: [Field], in node: Node, _ column: Int, isOptional: Bool) {
        node.isDeclared = true
        for var field in fields {
            field.isOptional = field.isOptional || isOptional
            let child = makeChild(field.name, of: node)
            if case .object(let inner) = field.type {
                declare(inner, in: child, column, isOptional: field.isOptional)
            } else {
                child.type = field.type
                addLeaf(child, column, field)
            }
        }
    }

    private func makeChild(_ name: String, of node: Node) -> Node {
        let child = Node(name, path: node.path + delimiter + name)
        node.children.append(child)
        return child
    }

    private func addLeaf(_ node: Node, _ column: Int, _ field: Field) {
        var field = field
        field.name = node.path
        let restorer = TypeRestorer(Schema([field]))
        node.leaf = leaves.count
        leaves.append((column, field, restorer.isTrivial ? nil : restorer))
        flat = nil
    }

    // MARK: - Records

    /// Flattens all records of a batch.
    func apply(to batch: RecordBatch, _ part: RecordPart) throws(ConnectorError) {
        values.removeAll(keepingCapacity: true)
        for column in 0..<source.count where mayHaveObjects(column) {
            collect(batch, part, column)
        }
        guard roots.contains(where: { $0 != nil }) else { return }
        let schema = try flatSchema()
        if part == .value { batch.rawIsJSON = false }
        batch.project(part, to: schema, from: projection)
        for value in values {
            batch.cells(of: part, value.row)[places[value.leaf]] = value.cell
        }
        if leaves.count > Self.leafLimit { begin() }
    }

    private func mayHaveObjects(_ column: Int) -> Bool {
        switch source.fields[column].type {
        case .any, .json, .object: true
        default: false
        }
    }

    private func collect(_ batch: RecordBatch, _ part: RecordPart, _ column: Int) {
        for row in batch.indices where !batch.lacks(part, row: row) {
            let place = batch.cells(of: part, row) + column
            let cell = place.pointee
            if cell.tag == .missing { continue }
            if cell.tag == .json, let members = JSONMembers(cell.slice) {
                let root = roots[column] ?? makeRoot(column)
                object(members, root, column, row, batch)
                place.pointee = .missing
            } else if let root = roots[column], root.isDeclared, cell.tag == .null {
                absent(root, row)
            } else if !keeps[column] {
                keeps[column] = true
                flat = nil
            }
        }
    }

    /// Begins to take a column apart, of which earlier rows may have other values.
    private func makeRoot(_ column: Int) -> Node {
        let name = source.fields[column].name
        let root = Node(name, path: name)
        roots[column] = root
        flat = nil
        return root
    }

    private func object(
        _ start: JSONMembers,
        _ node: Node,
        _ column: Int,
        _ row: Int,
        _ batch: RecordBatch
    ) {
        var members = start
        node.expected = 0
        while members.next() {
            let child = child(members, of: node)
            if let inner = JSONMembers(members.value) {
                object(inner, child, column, row, batch)
                continue
            }
            if child.isDeclared, members.value.first == UInt8(ascii: "n") {
                absent(child, row)
                continue
            }
            if child.leaf == nil { addLeaf(child, column, Field("")) }
            guard let leaf = child.leaf else { continue }
            var cell = JSONText.cell(members.value, in: batch)
            if let restorer = leaves[leaf].restorer, !cell.isNil {
                cell = restorer.restore(cell, as: child.type, batch) ?? cell
            }
            values.append(Value(row: row, leaf: leaf, cell: cell))
        }
    }

    private func child(_ members: JSONMembers, of node: Node) -> Node {
        if node.expected < node.children.count {
            let child = node.children[node.expected]
            if members.isNamed(child.name[0]) {
                node.expected += 1
                return child
            }
        }
        if let index = node.children.firstIndex(where: { members.isNamed($0.name[0]) }) {
            node.expected = index + 1
            return node.children[index]
        }
        node.expected = node.children.count + 1
        return makeChild(members.text, of: node)
    }

    /// Where an object is declared and null, all its fields are.
    private func absent(_ node: Node, _ row: Int) {
        for child in node.children {
            if let leaf = child.leaf { values.append(Value(row: row, leaf: leaf, cell: .null)) }
            if child.isDeclared { absent(child, row) }
        }
    }

    // MARK: - Columns

    /// The columns of flat records; one that was taken apart stays if it has other values, too.
    private func flatSchema() throws(ConnectorError) -> Schema {
        if let flat { return flat }
        var fields: [Field] = []
        projection = []
        places = Array(repeating: 0, count: leaves.count)
        for (column, field) in source.fields.enumerated() {
            if roots[column] == nil || keeps[column] {
                fields.append(field)
                projection.append(column)
            }
            for (index, leaf) in leaves.enumerated() where leaf.column == column {
                places[index] = fields.count
                fields.append(leaf.field)
                projection.append(-1)
            }
        }
        let names = fields.map(\.name).sorted()
        if let double = zip(names, names.dropFirst()).first(where: { $0 == $1 })?.0 {
            throw ConnectorError(
                .duplicateField,
                .failTask,
                "Records would have two fields named \(double).",
                at: "delimiter",
                hint: "Choose another delimiter."
            )
        }
        let schema = source.with(fields)
        flat = schema
        return schema
    }
}
