public import NIOCore

/// A connection of a listener, called on its event loop only.
public protocol ListenerConnection: AnyObject {
    /// Does what time alone makes due, such as closing it; called about once a second.
    func tick(_ now: NIODeadline)

    /// Goes on reading: there is room again.
    func resumeReading()

    /// Ends it as soon as it has nothing in flight: nothing more is accepted.
    func drain()
}

/// The connections of one event loop, used on that loop only.
public final class ConnectionTable {
    private var connections: [ObjectIdentifier: any ListenerConnection] = [:]
    /// Whether connections should end.
    public private(set) var isDraining = false

    internal init() {}

    /// Keeps a connection until it is removed.
    public func add(_ connection: any ListenerConnection) {
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain() }
    }

    /// Forgets a connection that has ended.
    public func remove(_ connection: any ListenerConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }

    // Each call may end connections, which changes the table.

    internal func tick(_ now: NIODeadline) {
        for connection in Array(connections.values) { connection.tick(now) }
    }

    internal func resumeReading() {
        for connection in Array(connections.values) { connection.resumeReading() }
    }

    internal func drain() {
        isDraining = true
        for connection in Array(connections.values) { connection.drain() }
    }
}
