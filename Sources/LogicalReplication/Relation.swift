/// A table as the server describes it before it sends the first row, and after each change.
public struct Relation: Hashable, Sendable {
    /// Which columns of an old row the server sends.
    public enum Identity: UInt8, Sendable {
        /// Those of the primary key.
        case primaryKey = 0x64
        /// None.
        case nothing = 0x6E
        /// All.
        case full = 0x66
        /// Those of one unique index.
        case index = 0x69
    }

    /// One column.
    public struct Column: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// The oid of its type.
        public var type: UInt32
        /// The type's modifier, such as precision and scale; -1 for none.
        public var modifier: Int32
        /// Whether it is part of what identifies an old row.
        public var isKey: Bool

        /// Makes a column.
        public init(_ name: String, type: UInt32, modifier: Int32 = -1, isKey: Bool = false) {
            self.name = name
            self.type = type
            self.modifier = modifier
            self.isKey = isKey
        }
    }

    /// The table's oid, by which rows name it.
    public var id: UInt32
    /// The schema, never empty.
    public var namespace: String
    /// The table.
    public var name: String
    /// Which columns of an old row the server sends.
    public var identity: Identity
    /// The columns that are published, in order.
    public var columns: [Column]

    /// Makes a description.
    public init(
        id: UInt32,
        namespace: String,
        name: String,
        identity: Identity,
        columns: [Column]
    ) {
        self.id = id
        self.namespace = namespace
        self.name = name
        self.identity = identity
        self.columns = columns
    }

    internal init(id: UInt32, _ cursor: inout ByteCursor) throws(ReplicationError) {
        self.id = id
        let namespace = try cursor.text()
        // An empty one stands for the system's.
        self.namespace = namespace.isEmpty ? "pg_catalog" : namespace
        name = try cursor.text()
        let byte: UInt8 = try cursor.integer()
        guard let identity = Identity(rawValue: byte) else {
            throw ReplicationError("a Relation has the unknown identity \(byte)")
        }
        self.identity = identity
        let count = Int(try cursor.integer(Int16.self))
        guard count >= 0, count <= cursor.remaining else { throw cursor.cutShort() }
        columns = []
        columns.reserveCapacity(count)
        for _ in 0..<count {
            let flags: UInt8 = try cursor.integer()
            let name = try cursor.text()
            let type: UInt32 = try cursor.integer()
            let modifier: Int32 = try cursor.integer()
            columns.append(Column(name, type: type, modifier: modifier, isKey: flags & 1 != 0))
        }
    }
}
