internal import CLinux
internal import Glibc

/// A thread of the store's own, which may block on the disk.
internal final class StoreThread: Sendable {
    private let thread: pthread_t

    /// Starts a thread that runs `body` and ends; `name` has at most 15 bytes.
    internal init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(
            Start {
                mr_name_thread(name)
                body()
            }
        )
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            start.toOpaque()
        )
        precondition(code == 0, "The system has no thread left.")
        self.thread = thread
    }

    /// Waits until the thread has ended; called once.
    internal func join() { pthread_join(thread, nil) }

    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
