public import ConnectorSDK

/// A name with places that records fill, such as `out/${topic}/${timestamp:yyyy-MM-dd}.jsonl`.
///
/// | place | stands for |
/// |---|---|
/// | `${topic}` | the record's topic |
/// | `${table}` | the table a record was captured from, as its header says; else the topic's name behind its last dot |
/// | `${partition}` | the record's partition |
/// | `${timestamp:PATTERN}` | the record's time in UTC, as ``TimestampPattern`` has it |
/// | `${field:name}` | a field of its value |
public struct RecordTemplate: Sendable, Hashable {
    /// A part of a template.
    public enum Piece: Sendable, Hashable {
        /// What is the same for all records.
        case text(String)
        /// The topic.
        case topic
        /// The table the record was captured from.
        case table
        /// The partition.
        case partition
        /// The record's time.
        case timestamp(TimestampPattern)
        /// A field of the record's value.
        case field(String)
    }

    /// The parts, in order; no two texts follow each other.
    public let pieces: [Piece]

    /// Reads a template.
    ///
    /// - Parameters:
    ///   - text: the template; a `$` that no `{` follows stands for itself.
    ///   - key: the configuration key it is the value of, which errors name.
    /// - Throws: a configuration error that names `key`.
    public init(_ text: String, key: String) throws(ConnectorError) {
        guard !text.isEmpty else { throw .invalid(key, "The value must not be empty.") }
        var pieces: [Piece] = []
        var rest = text[...]
        while let start = rest.firstRange(of: "${") {
            if start.lowerBound > rest.startIndex {
                pieces.append(.text(String(rest[..<start.lowerBound])))
            }
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw .invalid(key, "A `${` has no `}`.")
            }
            pieces.append(try Self.place(rest[start.upperBound..<end], key))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        self.pieces = pieces
    }

    private static func place(_ text: Substring, _ key: String) throws(ConnectorError) -> Piece {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let argument = parts.count > 1 ? String(parts[1]) : nil
        switch (parts.first ?? "", argument) {
        case ("topic", nil): return .topic
        case ("table", nil): return .table
        case ("partition", nil): return .partition
        case ("field", let name?) where !name.isEmpty: return .field(name)
        case ("timestamp", let pattern?):
            do throws(TimestampPattern.Problem) {
                return .timestamp(try TimestampPattern(pattern))
            } catch {
                throw .invalid(key, "The pattern `\(pattern)` \(error.message).")
            }
        default:
            throw .invalid(
                key,
                "There is no placeholder `${\(text)}`.",
                hint: "Known are ${topic}, ${table}, ${partition}, ${timestamp:yyyy-MM-dd} and "
                    + "${field:name}."
            )
        }
    }

    /// Whether records of different partitions have different names.
    public var hasPartition: Bool { pieces.contains(.partition) }

    /// The fields it asks for, in order.
    public var fields: [String] {
        pieces.compactMap { piece in
            if case .field(let name) = piece { name } else { nil }
        }
    }

    /// Whether all records of one topic and partition have one name.
    public var isConstantInPartition: Bool {
        pieces.allSatisfy { piece in
            switch piece {
            case .text, .topic, .partition: true
            case .table, .timestamp, .field: false
            }
        }
    }
}
