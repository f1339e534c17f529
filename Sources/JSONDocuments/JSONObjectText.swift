/// The text of a JSON object, written field by field: for what is written often.
public struct JSONObjectText: Sendable {
    private var text: String
    private var isEmpty = true

    /// Begins a text.
    public init() {
        text = ""
        // A position is written for every batch: room once for all, not piece by piece.
        text.reserveCapacity(256)
        text += "{"
    }

    /// The text with the object's end.
    public mutating func closed() -> String {
        text += "}"
        return text
    }

    /// Adds a text.
    public mutating func add(_ name: String, _ value: String) {
        begin(name)
        JSONDocument.write(value, into: &text)
    }

    /// Adds a number.
    public mutating func add(_ name: String, _ value: Int64) {
        begin(name)
        text += String(value)
    }

    /// Adds a truth value.
    public mutating func add(_ name: String, _ value: Bool) {
        begin(name)
        text += value ? "true" : "false"
    }

    /// Adds a value.
    public mutating func add(_ name: String, _ value: JSONDocument) {
        begin(name)
        value.write(into: &text)
    }

    private mutating func begin(_ name: String) {
        if !isEmpty { text += "," }
        isEmpty = false
        JSONDocument.write(name, into: &text)
        text += ":"
    }
}
