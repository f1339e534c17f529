internal import ConnectorSDK
internal import JSONDocuments
internal import JSONRecords

/// A line of the program: its parts, as slices of the line, valid until the next one is read.
struct ProgramMessage {
    private(set) var type = ""
    /// How long the line is.
    let size: Int
    private var parts: [(name: String, value: UnsafeRawBufferPointer)] = []

    /// Takes a line apart; `nil` when it is no object with a `type`.
    init?(_ line: UnsafeRawBufferPointer) {
        size = line.count
        guard JSONText.error(in: line) == nil, var members = JSONMembers(line) else { return nil }
        while members.next() {
            parts.append((String(decoding: members.name, as: UTF8.self), members.value))
        }
        guard let type = text("type") else { return nil }
        self.type = type
    }

    /// A part's text, as it stands in the line.
    func slice(_ name: String) -> UnsafeRawBufferPointer? { parts.last { $0.name == name }?.value }

    /// A part as a value.
    func document(_ name: String) -> JSONDocument? {
        slice(name).flatMap { JSONDocument(parsingAny: String(decoding: $0, as: UTF8.self)) }
    }

    /// A part that is a text.
    func text(_ name: String) -> String? { document(name)?.string }

    /// A part that is a whole number.
    func number(_ name: String) -> Int64? { document(name)?.int }
}
