internal import Glibc

/// Lets another thread end a wait for the server.
///
/// A signal that comes while nobody waits ends the next wait at once.
public final class PostgresWakeUp: Sendable {
    /// Readable after a signal.
    internal let descriptor: Int32
    private let input: Int32

    /// Makes one; without free descriptors, waits end by their timeout only.
    public init() {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
        }
        descriptor = ends[0]
        input = ends[1]
    }

    deinit {
        for end in [descriptor, input] where end >= 0 { close(end) }
    }

    /// Ends the wait that is going on, or the next one.
    public func signal() {
        // A full pipe has signals enough.
        var byte: UInt8 = 1
        _ = write(input, &byte, 1)
    }

    /// Takes back signals that ended no wait yet.
    internal func reset() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(descriptor, &bytes, bytes.count) > 0 {}
    }
}
