public import ConnectorSDK

/// Decides which tasks of a run this process runs, where several processes share them.
public protocol TaskSharing: Sendable {
    /// Takes part in sharing until the run is to end: grants tasks to `ownership` and withdraws
    /// them.
    ///
    /// Called once, on a thread of its own, which it may block. Tasks that it has not withdrawn when
    /// it returns are withdrawn then, and the run ends.
    ///
    /// - Throws: why this process cannot take part; the run ends with that error.
    func share(_ ownership: TaskOwnership) throws(ConnectorError)
}

/// A task, by a name that is the same in every process that has the same pipeline files.
public struct TaskID: Hashable, Sendable, CustomStringConvertible {
    /// The connector's name.
    public var connector: String
    /// The task's number, from 0.
    public var number: Int

    /// Names a task.
    public init(_ connector: String, _ number: Int) {
        self.connector = connector
        self.number = number
    }

    /// `connector-number`.
    public var description: String { "\(connector)-\(number)" }
}

extension ConnectorError.Code {
    /// The store's code for a task that runs in another process as well: the one that began last
    /// has the task, and the other can commit nothing any more.
    static let fenced = Self("topics.fenced")
}
