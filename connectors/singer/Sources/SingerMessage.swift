internal import ConnectorSDK
internal import JSONRecords

/// One line of a tap: its parts, as slices of the line.
struct SingerMessage {
    private(set) var type = ""
    private(set) var stream = ""
    /// The text of `record`, `schema` or `value`.
    private(set) var content: UnsafeRawBufferPointer?
    private(set) var keyProperties: UnsafeRawBufferPointer?
    private(set) var timeExtracted: Int64?

    /// Takes a line apart, which has ``Chunk/padding`` readable bytes behind it.
    init(_ line: UnsafeRawBufferPointer) throws(JSONSyntaxError) {
        if let error = JSONText.error(in: line) { throw error }
        guard var members = JSONMembers(line) else {
            throw JSONSyntaxError(.unexpectedCharacter, at: 0)
        }
        while members.next() {
            switch members.name.count {
            case 4 where Self.named(members, "type"): type = Self.text(members.value).uppercased()
            case 6 where Self.named(members, "stream"): stream = Self.text(members.value)
            case 6 where Self.named(members, "record"), 6 where Self.named(members, "schema"),
                5 where Self.named(members, "value"):
                content = members.value
            case 14 where Self.named(members, "key_properties"): keyProperties = members.value
            case 14 where Self.named(members, "time_extracted"):
                let value = members.value
                guard value.count > 2, value[0] == UInt8(ascii: "\"") else { continue }
                let time = UnsafeRawBufferPointer(rebasing: value[1..<(value.count - 1)])
                timeExtracted = TimeText.instant(time).map { CivilDate.floor($0.int64, 1_000) }
            default: continue
            }
        }
    }

    private static func named(_ members: JSONMembers, _ name: StaticString) -> Bool {
        members.name.elementsEqual(
            UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        )
    }

    /// A JSON text's content; empty for anything else.
    private static func text(_ value: UnsafeRawBufferPointer) -> String {
        guard value.count >= 2, value[0] == UInt8(ascii: "\"") else { return "" }
        return unescaped(UnsafeRawBufferPointer(rebasing: value[1..<(value.count - 1)]))
    }

    /// The text between the quotes of a JSON string.
    static func unescaped(_ content: UnsafeRawBufferPointer) -> String {
        guard content.contains(UInt8(ascii: "\\")), let start = content.baseAddress else {
            return String(decoding: content, as: UTF8.self)
        }
        let batch = RecordBatch()
        // With its quotes.
        let text = UnsafeRawBufferPointer(start: start - 1, count: content.count + 2)
        let cell = JSONText.cell(text, in: batch)
        return withExtendedLifetime(batch) { String(decoding: cell.slice, as: UTF8.self) }
    }
}
