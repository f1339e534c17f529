import Glibc

/// SIGINT and SIGTERM: the first ends a run gently, the second at once.
///
/// The signals are blocked in every thread and waited for in one of our own, so that no handler
/// has to be safe at any instruction.
final class StopSignals: Sendable {
    private let onFirst: @Sendable (Int32) -> Void

    private init(_ onFirst: @escaping @Sendable (Int32) -> Void) { self.onFirst = onFirst }

    /// Keeps the signals from ending the process.
    ///
    /// Call it before any other thread exists: threads inherit what is blocked.
    static func block() {
        var signals = signalSet
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Has the first signal call `onFirst` and the second end the process with 128 + its number.
    static func handle(_ onFirst: @escaping @Sendable (Int32) -> Void) {
        let handler = Unmanaged.passRetained(StopSignals(onFirst))
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<StopSignals>.fromOpaque(argument).takeRetainedValue().wait()
                return nil
            },
            handler.toOpaque()
        )
        guard code == 0 else {
            // Without the thread, signals end the process as they always do.
            handler.release()
            var signals = signalSet
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            return
        }
        pthread_detach(thread)
    }

    private func wait() {
        onFirst(Self.next())
        _exit(128 + Self.next())
    }

    private static func next() -> Int32 {
        var signals = signalSet
        var number: Int32 = 0
        while sigwait(&signals, &number) != 0 {}
        return number
    }

    private static var signalSet: sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        return signals
    }
}
