public import ConnectorSDK
internal import RecordFields
internal import RegularExpressions

/// Holds for records that are tombstones: a key whose value is null.
public final class RecordIsTombstone: Predicate {
    public static let name = "RecordIsTombstone"
    public static let className: String? = connectPackage + "predicates.RecordIsTombstone"
    public static let summary = "Holds for tombstones: records that have a key and a null value."
    public static let configuration = ConfigSpec()

    public init(configuration: Configuration) throws(ConnectorError) {}

    public func matches(_ batch: RecordBatch, row: Int) throws(ConnectorError) -> Bool {
        batch.metadata(row).pointee.isTombstone
    }
}

/// Holds for records of topics whose whole name matches a pattern.
public final class TopicNameMatches: Predicate {
    public static let name = "TopicNameMatches"
    public static let className: String? = connectPackage + "predicates.TopicNameMatches"
    public static let summary = "Holds for records of topics whose name matches a pattern."
    public static let configuration = ConfigSpec().with(patternKey)

    private static let patternKey = ConfigKey<String>.required(
        "pattern",
        help: "A regular expression that the topic's whole name is to match.",
        validator: { RegularExpression.problem($0) }
    )

    private let pattern: RegularExpression
    /// The topic asked for last, and the answer: records come in batches of one topic.
    private var last: (topic: String, matches: Bool)?

    public init(configuration: Configuration) throws(ConnectorError) {
        let text = try configuration.get(Self.patternKey)
        do throws(PatternError) {
            pattern = try RegularExpression(text, matching: .whole)
        } catch {
            throw .invalid("pattern", "The value is no regular expression: \(error.description).")
        }
    }

    public func matches(_ batch: RecordBatch, row: Int) throws(ConnectorError) -> Bool {
        if let last, last.topic == batch.topic { return last.matches }
        let matches = pattern.matches(batch.topic)
        last = (batch.topic, matches)
        return matches
    }
}

/// Holds for records that have a header of a name.
public final class HasHeaderKey: Predicate {
    public static let name = "HasHeaderKey"
    public static let className: String? = connectPackage + "predicates.HasHeaderKey"
    public static let summary = "Holds for records that have a header of the given name."
    public static let configuration = ConfigSpec().with(nameKey)

    private static let nameKey = ConfigKey<String>.required(
        "name",
        help: "The name of the header, whatever its value."
    )

    private let key: [UInt8]

    public init(configuration: Configuration) throws(ConnectorError) {
        key = Array(try configuration.get(Self.nameKey).utf8)
    }

    public func matches(_ batch: RecordBatch, row: Int) throws(ConnectorError) -> Bool {
        let metadata = batch.metadata(row).pointee
        guard metadata.headerCount > 0 else { return false }
        let bytes = metadata.headers
        var index = 0
        for _ in 0..<metadata.headerCount {
            guard let name = Self.part(bytes, &index), Self.part(bytes, &index) != nil else {
                return false
            }
            if name.elementsEqual(key) { return true }
        }
        return false
    }

    /// A length and as many bytes, none for a length of -1; `nil` for what is no header.
    private static func part(_ bytes: UnsafeRawBufferPointer, _ index: inout Int)
        -> UnsafeRawBufferPointer?
    {
        var zigZag: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard index < bytes.count, shift < 35 else { return nil }
            let byte = bytes[index]
            index += 1
            zigZag |= UInt64(byte & 0x7f) << shift
            shift += 7
            if byte < 0x80 { break }
        }
        let length = Int(zigZag >> 1) ^ -Int(zigZag & 1)
        guard length >= -1, length <= bytes.count - index else { return nil }
        let start = index
        index += max(length, 0)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<index])
    }
}
