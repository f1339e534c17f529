internal import CLinux
internal import Glibc

/// Destroys a client on a thread of its own, so that nobody has to wait for ever.
internal struct EndingHandle: ~Copyable {
    private var thread = pthread_t()
    private let isThread: Bool

    /// Begins; what the client reports to stays until it has ended.
    internal init(_ client: OpaquePointer, _ events: ClientEvents) {
        let work = Work(client, events)
        let argument = Unmanaged.passRetained(work)
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            argument.toOpaque()
        )
        isThread = code == 0
        if !isThread { argument.takeRetainedValue().run() }
    }

    /// Waits for the end; `false` when it has not come within `timeout`, and is left alone.
    internal consuming func wait(_ timeout: Duration) -> Bool {
        guard isThread else { return true }
        if mr_join_thread(thread, Int64(timeout.milliseconds)) == 0 { return true }
        pthread_detach(thread)
        return false
    }

    private final class Work {
        let client: OpaquePointer
        let events: ClientEvents

        init(_ client: OpaquePointer, _ events: ClientEvents) {
            (self.client, self.events) = (client, events)
        }

        func run() { ClientHandle.destroy(client) }
    }
}
