/// Why bytes are no message of the replication protocol.
///
/// Quotes none of them.
public struct ReplicationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, such as "an Update ends too early".
    public var description: String

    /// Makes an error.
    public init(_ description: String) { self.description = description }
}
