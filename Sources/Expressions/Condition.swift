package import ConnectorSDK

/// A condition on the fields of a record, such as `.amount > 0 and .status != "new"`.
///
/// It is compiled once into tests that jump from one to the next, as far as the outcome is open.
/// Fields are looked up once per schema.
package final class Condition {
    /// One comparison, and where to go on.
    fileprivate struct Test {
        /// The column of the left side, -1 for a field that the schema does not have.
        var column: Int
        /// The column of the right side, if that is a field.
        var rightColumn = -1
        var isRightField = false
        /// Whether the left side itself is to be true or not.
        var isTruth = false
        var comparison = Comparison()
        /// The right side, if that is a constant.
        var constant = Cell.null
        var onTrue: Int
        var onFalse: Int
    }

    fileprivate static let accept = -1
    private static let reject = -2

    private var tests: [Test] = []
    /// The fields' names of each test, left and right.
    private var names: [(left: String, right: String?)] = []
    private var first = Condition.reject
    /// Holds the constants' texts.
    private var constants = Arena(capacity: 256)
    private var schema: Schema?

    /// Compiles a condition.
    init(_ text: String) throws(ConditionSyntaxError) {
        let syntax = try ConditionParser.parse(text)
        first = compile(syntax, onTrue: Self.accept, onFalse: Self.reject)
    }

    /// The fields that are compared.
    package var fields: [String] { names.flatMap { [$0.left] + ($0.right.map { [$0] } ?? []) } }

    /// Looks the fields up in the schema of the records that come next.
    package func resolve(_ schema: Schema) {
        guard self.schema !== schema else { return }
        self.schema = schema
        for index in tests.indices {
            tests[index].column = schema.index(of: names[index].left) ?? -1
            guard let right = names[index].right else { continue }
            tests[index].rightColumn = schema.index(of: right) ?? -1
        }
    }

    /// Keeps the rows for which the condition holds, and tombstones.
    package func keep(in batch: RecordBatch) {
        resolve(batch.schema)
        withEvaluator { evaluator in
            batch.filter { row in
                batch.metadata(row).pointee.isTombstone || evaluator.holds(batch.row(row))
            }
        }
    }

    /// Calls `body` with what tells whether the condition holds for a row of cells.
    func withEvaluator<R>(_ body: (Evaluator) -> R) -> R {
        tests.withUnsafeBufferPointer { body(Evaluator(tests: $0, first: first)) }
    }

    /// Evaluates the compiled tests.
    struct Evaluator {
        fileprivate let tests: UnsafeBufferPointer<Test>
        fileprivate let first: Int

        /// Whether the condition holds for the cells of a row of the schema resolved last.
        @inline(__always)
        func holds(_ row: UnsafePointer<Cell>) -> Bool {
            var index = first
            while index >= 0 {
                let test = tests.baseAddress.unsafelyUnwrapped + index
                index = Self.holds(test, row) ? test.pointee.onTrue : test.pointee.onFalse
            }
            return index == Condition.accept
        }

        @inline(__always)
        private static func holds(
            _ test: UnsafePointer<Test>,
            _ row: UnsafePointer<Cell>
        ) -> Bool {
            let column = test.pointee.column
            let left = column < 0 ? .missing : row[column]
            if test.pointee.isTruth { return CellOrder.isTrue(left) }
            var right = test.pointee.constant
            if test.pointee.isRightField {
                let rightColumn = test.pointee.rightColumn
                right = rightColumn < 0 ? .missing : row[rightColumn]
            }
            return test.pointee.comparison.holds(CellOrder.compare(left, right))
        }
    }
}

extension Condition {
    /// Adds the tests of a part, last ones first; returns the first, or where to go without one.
    private func compile(_ syntax: ConditionSyntax, onTrue: Int, onFalse: Int) -> Int {
        switch syntax {
        case .not(let inner):
            return compile(inner, onTrue: onFalse, onFalse: onTrue)
        case .and(let left, let right):
            let second = compile(right, onTrue: onTrue, onFalse: onFalse)
            return compile(left, onTrue: second, onFalse: onFalse)
        case .or(let left, let right):
            let second = compile(right, onTrue: onTrue, onFalse: onFalse)
            return compile(left, onTrue: onTrue, onFalse: second)
        case .truth(.field(let name)):
            var test = Test(column: -1, onTrue: onTrue, onFalse: onFalse)
            test.isTruth = true
            return add(test, name, nil)
        case .truth(let constant):
            return CellOrder.isTrue(cell(constant)) ? onTrue : onFalse
        case .compare(.field(let name), let comparison, let right):
            var test = Test(column: -1, onTrue: onTrue, onFalse: onFalse)
            test.comparison = comparison
            if case .field(let rightName) = right {
                test.isRightField = true
                return add(test, name, rightName)
            }
            test.constant = cell(right)
            return add(test, name, nil)
        case .compare(let left, let comparison, .field(let name)):
            return compile(
                .compare(.field(name), comparison.mirrored, left),
                onTrue: onTrue,
                onFalse: onFalse
            )
        case .compare(let left, let comparison, let right):
            return comparison.holds(CellOrder.compare(cell(left), cell(right)))
                ? onTrue : onFalse
        }
    }

    private func add(_ test: Test, _ left: String, _ right: String?) -> Int {
        tests.append(test)
        names.append((left, right))
        return tests.count - 1
    }

    private func cell(_ operand: ConditionOperand) -> Cell {
        switch operand {
        case .field, .null: .null
        case .bool(let value): .bool(value)
        case .string(let text): .slice(.string, keep(text))
        case .number(let text): NumberText.parse(keep(text)) ?? .null
        }
    }

    /// Copies text to where it stays for as long as the condition.
    private func keep(_ text: String) -> UnsafeRawBufferPointer {
        var text = text
        return text.withUTF8 { constants.copy(UnsafeRawBufferPointer($0)) }
    }
}
