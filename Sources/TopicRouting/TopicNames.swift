package import ConnectorSDK

/// Sends the records of a batch to the topics of names that are made of each.
package enum TopicNames {
    /// Whether topics can have a name.
    package static func isValid(_ name: String) -> Bool {
        (1...249).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// The reason for records whose topic would have a name that topics cannot have.
    package static func refusal(_ key: String) -> ConnectorError {
        ConnectorError(
            .init("transform.topic_name"),
            .rejectRecord,
            "The record would go to a topic with a name that topics cannot have.",
            at: key,
            hint: "Names have letters of ASCII, digits, `.`, `_` and `-`, at most 249."
        )
    }
}
