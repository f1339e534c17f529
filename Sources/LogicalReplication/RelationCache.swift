/// The tables that the server has described so far in a stream.
///
/// `Value` is what the owner makes of a description, once.
public struct RelationCache<Value> {
    private var values: [UInt32: Value] = [:]
    private var lastID: UInt32 = 0
    private var last: Value?

    /// Makes an empty cache.
    public init() {}

    /// Notes what is known of a table, in place of what was known before.
    public mutating func set(_ id: UInt32, to value: Value) {
        values[id] = value
        lastID = id
        last = value
    }

    /// What is known of a table.
    ///
    /// Rows of one table often follow each other, so the last answer is kept at hand.
    public mutating func value(_ id: UInt32) throws(ReplicationError) -> Value {
        if id == lastID, let last { return last }
        guard let value = values[id] else {
            throw ReplicationError("a row belongs to table \(id), which was not described")
        }
        lastID = id
        last = value
        return value
    }

    /// Everything that is known.
    public var all: some Collection<Value> { values.values }
}
