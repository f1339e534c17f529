public import ConnectorSDK

/// Takes lines of one format apart.
///
/// One task uses it, for one line after the other. A parser allocates nothing for a line that has
/// the fields of those before it.
public protocol LineParser: AnyObject {
    /// The fields of the last line that was taken apart.
    var fields: LineFields { get }

    /// Prepares for the lines of a batch, in whose arena values are made that do not stand in the
    /// lines as they are.
    func begin(_ batch: RecordBatch)

    /// Takes a line apart; ``fields`` has its fields afterwards.
    ///
    /// The line is valid UTF-8, stays as long as `batch`, and has ``Chunk/padding`` readable bytes
    /// behind it. Slices of the fields point into it or into the arena of the batch.
    ///
    /// - Returns: why the line does not fit, or `nil`.
    func parse(_ line: UnsafeRawBufferPointer, in batch: RecordBatch) -> LineProblem?
}

extension LineParser {
    /// Most parsers have nothing to prepare.
    public func begin(_ batch: RecordBatch) {}
}

/// Why a line does not have a format.
public struct LineProblem: Error, Sendable, Equatable {
    /// The byte of the line at which it was noticed, from 0.
    public var offset: Int
    /// What is wrong there, without a word of the line.
    public var reason: String

    /// Makes a problem.
    public init(_ reason: String, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}

/// The fields of a line: names that stay from line to line, and a cell for each.
public final class LineFields {
    /// Each field is a column of the whole batch, so there are no more of them than this. (D7)
    private static let columnLimit = 1_024
    /// How many fields one line may have whose fields become no columns. (D7)
    private static let nestedLimit = 16_384

    /// Whether the fields of each line are put into one value, so that they may be forgotten
    /// behind it.
    public var areNested = false

    /// Changes whenever fields are forgotten.
    public private(set) var generation = 0
    /// The fields in the order in which they were first seen.
    public private(set) var names: [Field] = []
    /// A cell for each field, missing where the line does not have it.
    @exclusivity(unchecked) public private(set) var cells: UnsafeMutablePointer<Cell>
    private var capacity: Int

    /// Makes fields that all lines have.
    public init(_ names: [Field] = []) {
        capacity = max(names.count, 16)
        cells = .allocate(capacity: capacity)
        cells.initialize(repeating: .missing, count: capacity)
        self.names = names
    }

    deinit { cells.deallocate() }

    /// The number of fields.
    public var count: Int { names.count }

    /// Makes all fields missing.
    internal func clear() {
        for index in 0..<names.count { cells[index] = .missing }
    }

    /// How many fields there may be at once.
    internal var limit: Int { areNested ? Self.nestedLimit : Self.columnLimit }

    /// Whether fields that lines had are to be forgotten, since most lines do not have them.
    internal func areTooMany(afterLineOf count: Int) -> Bool {
        names.count > max(Self.columnLimit / 4, 2 * count)
    }

    /// Says that there are too many fields.
    internal func excess(at offset: Int) -> LineProblem {
        LineProblem(
            areNested
                ? "it has more than \(limit) fields"
                : "the lines have more than \(limit) different fields; `target` keeps them nested",
            at: offset
        )
    }

    /// Adds a field, which is missing.
    internal func add(_ name: String) {
        if names.count == capacity {
            let more = UnsafeMutablePointer<Cell>.allocate(capacity: capacity * 2)
            more.initialize(repeating: .missing, count: capacity * 2)
            more.update(from: cells, count: capacity)
            cells.deallocate()
            cells = more
            capacity *= 2
        }
        cells[names.count] = .missing
        names.append(Field(name))
    }

    /// Forgets all fields.
    internal func removeAll() {
        names.removeAll(keepingCapacity: true)
        generation &+= 1
    }
}
