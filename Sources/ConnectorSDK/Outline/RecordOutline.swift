/// What configurations tell of the fields of records, followed from a source through its
/// transforms before there is a record.
///
/// A transform says what it looks for and what it changes (``Transform/trace(_:)``), in the order
/// in which it does so.
public struct RecordOutline: Hashable, Sendable {
    /// A field that a transform looks for and can never find.
    public struct Miss: Hashable, Sendable {
        /// The key that names the field.
        public var key: String
        /// What is wrong, to be read after the key.
        public var message: String
        /// The name that was perhaps meant.
        public var suggestion: String?
    }

    /// What is known of keys.
    public var key: KnownFields
    /// What is known of values.
    public var value: KnownFields
    /// What was looked for in vain.
    public private(set) var misses: [Miss] = []

    /// Makes an outline.
    public init(key: KnownFields = .unknown, value: KnownFields = .unknown) {
        self.key = key
        self.value = value
    }

    /// What is known of a part.
    public subscript(part: RecordPart) -> KnownFields {
        get { part == .key ? key : value }
        set { if part == .key { key = newValue } else { value = newValue } }
    }

    /// Nothing is known from here on.
    public mutating func forget() {
        key = .unknown
        value = .unknown
    }

    /// A field is looked for.
    ///
    /// - Parameters:
    ///   - path: its name, and those of fields inside of it.
    ///   - part: where it is looked for.
    ///   - name: the configuration key that names it.
    public mutating func need(_ path: [String], of part: RecordPart = .value, at name: String) {
        need(path, in: self[part], of: part, at: name)
    }

    /// A field is looked for among some that are not those of the records.
    public mutating func need(
        _ path: [String],
        in fields: KnownFields,
        of part: RecordPart = .value,
        at name: String
    ) {
        guard let absence = fields.absence(of: path, part: part) else { return }
        let miss = Miss(
            key: name,
            message: "names the field `\(path.joined(separator: "."))`, \(absence.reason)",
            suggestion: absence.suggestion
        )
        if !misses.contains(miss) { misses.append(miss) }
    }

    /// Goes on with records some of which are as here, and some as in `other`.
    public mutating func unite(with other: Self) {
        key = key.united(with: other.key)
        value = value.united(with: other.value)
    }

    /// Hands over what was looked for in vain, and forgets it.
    public mutating func takeMisses() -> [Miss] {
        defer { misses = [] }
        return misses
    }
}
