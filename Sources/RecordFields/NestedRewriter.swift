package import ConnectorSDK
package import JSONRecords

/// What becomes of a value inside of an object.
package enum NestedEdit {
    case keep
    /// Another value; an absent one is added as the last of its object.
    case replace(Cell)
    case remove
    /// Another name, which no other field of the object has.
    case rename(String)
    /// The value is at fault, and so is its record.
    case refuse
}

/// Fields, and fields inside of them, each with what is to be done there.
package struct EditTree<Leaf> {
    /// A field on the way to some, or one itself.
    package final class Node {
        package let step: String
        package var leaf: Leaf?
        package var children: [Node] = []
        /// Whether fields of the object that are not among the children are taken out.
        package fileprivate(set) var isSelective = false
        @usableFromInline internal let name: NestedNames

        init(_ step: String) {
            self.step = step
            name = NestedNames([step])
        }

        fileprivate func child(_ step: String) -> Node {
            if let known = children.first(where: { $0.step == step }) { return known }
            let made = Node(step)
            children.append(made)
            return made
        }
    }

    private let root = Node("")

    /// Makes a tree; of a field and one inside of it the outer one counts.
    package init(_ items: some Sequence<(FieldPath, Leaf)>) {
        for (path, leaf) in items {
            path.steps.reduce(root) { $0.child($1) }.leaf = leaf
        }
    }

    /// Makes the objects on the way to a field keep nothing but the fields in the tree.
    package func select(_ path: FieldPath) {
        var node = root
        for step in path.steps.dropLast() {
            node = node.child(step)
            node.isSelective = true
        }
    }

    /// The fields of the record itself.
    package var fields: [Node] { root.children }

    /// The record's field of a name.
    package func node(_ name: String) -> Node? { root.children.first { $0.step == name } }
}

/// Changes values inside of a cell's object by writing its text anew.
///
/// What is not touched is copied as it is, in its order.
package final class NestedRewriter {
    @usableFromInline internal let output = OutputBuffer(capacity: 1 << 10)
    @usableFromInline internal var isRefused = false

    package init() {}

    /// Rewrites the object in a cell; the cell stays as it is where nothing changes.
    ///
    /// An absent or null cell counts as an object without fields.
    ///
    /// - Parameters:
    ///   - cell: the object's cell; its new text is in the batch's arena.
    ///   - node: the fields inside of it.
    ///   - batch: the record's batch, whose ``RecordBatch/rawIsJSON`` the caller clears.
    ///   - edit: says what becomes of a value, which is missing where the object does not have it.
    /// - Returns: `false`, with nothing changed, when there is something else where an object was
    ///   expected and to be changed, or when `edit` or JSON refused a value.
    @inlinable
    package func rewrite<Leaf>(
        _ cell: inout Cell,
        _ node: EditTree<Leaf>.Node,
        in batch: RecordBatch,
        edit: (Cell, Leaf) -> NestedEdit
    ) -> Bool {
        output.count = 0
        isRefused = false
        guard cell.isNil || cell.tag == .json else { return false }
        let text = cell.isNil ? UnsafeRawBufferPointer(start: nil, count: 0) : cell.slice
        let changes = object(text, node, in: batch, edit)
        if isRefused { return false }
        if changes { cell = .slice(.json, batch.arena.copy(output.bytes)) }
        return true
    }

    /// Writes an object with its changes; returns whether there are any.
    @inlinable
    internal func object<Leaf>(
        _ text: UnsafeRawBufferPointer,
        _ node: EditTree<Leaf>.Node,
        in batch: RecordBatch,
        _ edit: (Cell, Leaf) -> NestedEdit
    ) -> Bool {
        var changes = false
        var seen: UInt64 = 0
        output.append(UInt8(ascii: "{"))
        let start = output.count
        if var members = JSONMembers(text) {
            while members.next() {
                let known = node.children.firstIndex { members.isNamed($0.name[0]) }
                guard let known else {
                    if node.isSelective {
                        changes = true
                        continue
                    }
                    copy(members.name, members.value, first: output.count == start)
                    continue
                }
                if known < 64 { seen |= 1 << UInt64(known) }
                let child = node.children[known]
                changes = member(members, child, output.count == start, batch, edit) || changes
            }
        } else if !text.isEmpty {
            isRefused = true
        }
        for (index, child) in node.children.enumerated()
        where index >= 64 || seen & 1 << UInt64(index) == 0 {
            changes = addition(child, output.count == start, batch, edit) || changes
        }
        output.append(UInt8(ascii: "}"))
        return changes
    }

    /// Writes a field that the object has; returns whether it changed.
    @inlinable
    internal func member<Leaf>(
        _ members: JSONMembers,
        _ node: EditTree<Leaf>.Node,
        _ isFirst: Bool,
        _ batch: RecordBatch,
        _ edit: (Cell, Leaf) -> NestedEdit
    ) -> Bool {
        guard let leaf = node.leaf else {
            if members.value.first == UInt8(ascii: "{") {
                begin(members.name, first: isFirst)
                return object(members.value, node, in: batch, edit)
            }
            // Null on the way counts as an object without fields, anything else as in the way.
            let isNull = members.value.first == UInt8(ascii: "n")
            let mark = output.count
            begin(members.name, first: isFirst)
            let empty = UnsafeRawBufferPointer(start: nil, count: 0)
            let changes = object(empty, node, in: batch, edit)
            if changes, isNull { return true }
            if changes { isRefused = true }
            output.count = mark
            copy(members.name, members.value, first: isFirst)
            return false
        }
        switch edit(JSONText.cell(members.value, in: batch), leaf) {
        case .keep:
            copy(members.name, members.value, first: isFirst)
            return false
        case .replace(let cell):
            begin(members.name, first: isFirst)
            append(cell)
        case .rename(let name):
            begin(name, first: isFirst)
            output.append(members.value)
        case .remove: break
        case .refuse: isRefused = true
        }
        return true
    }

    /// Writes a field that the object does not have, if it is to get it.
    @inlinable
    internal func addition<Leaf>(
        _ node: EditTree<Leaf>.Node,
        _ isFirst: Bool,
        _ batch: RecordBatch,
        _ edit: (Cell, Leaf) -> NestedEdit
    ) -> Bool {
        let mark = output.count
        guard let leaf = node.leaf else {
            begin(node.step, first: isFirst)
            let empty = UnsafeRawBufferPointer(start: nil, count: 0)
            if object(empty, node, in: batch, edit) { return true }
            output.count = mark
            return false
        }
        switch edit(.missing, leaf) {
        case .replace(let cell):
            guard cell.tag != .missing else { return false }
            begin(node.step, first: isFirst)
            append(cell)
            return true
        case .refuse:
            isRefused = true
            return false
        case .keep, .remove, .rename: return false
        }
    }

    @usableFromInline
    internal func append(_ cell: Cell) {
        if !JSONText.appendCell(cell, to: output) { isRefused = true }
    }

    @usableFromInline
    internal func copy(
        _ name: UnsafeRawBufferPointer,
        _ value: UnsafeRawBufferPointer,
        first isFirst: Bool
    ) {
        begin(name, first: isFirst)
        output.append(value)
    }

    @usableFromInline
    internal func begin(_ escapedName: UnsafeRawBufferPointer, first isFirst: Bool) {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        output.append(UInt8(ascii: "\""))
        output.append(escapedName)
        output.append(UInt8(ascii: "\""))
        output.append(UInt8(ascii: ":"))
    }

    @usableFromInline
    internal func begin(_ name: String, first isFirst: Bool) {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        JSONText.appendString(name, to: output)
        output.append(UInt8(ascii: ":"))
    }
}
