/// What a topic may be called: Kafka's rule.
public enum TopicName {
    /// The longest name, so that `<name>-<partition>` is a file name.
    public static let maximumLength = 249

    /// What is wrong with a name, to be read after it, or `nil` when nothing is.
    public static func problem(_ name: String) -> String? {
        if name.isEmpty { return "must not be empty" }
        if name == "." || name == ".." { return "must not be `.` or `..`" }
        if name.utf8.count > maximumLength {
            return "must not be longer than \(maximumLength) letters"
        }
        let isLegal = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isLegal ? nil : "may hold only letters, digits, `.`, `_` and `-`"
    }
}
