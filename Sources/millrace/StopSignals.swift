import CTerminal
import Glibc

/// SIGINT and SIGTERM: the first ends a run gently, the second at once.
///
/// A handler may run between any two instructions, in any thread, so it only writes into a pipe; a
/// thread of our own reads it.
final class StopSignals: Sendable {
    private let pipe: Int32
    private let onFirst: @Sendable (Int32) -> Void

    private init(pipe: Int32, _ onFirst: @escaping @Sendable (Int32) -> Void) {
        self.pipe = pipe
        self.onFirst = onFirst
    }

    /// Has the first signal call `onFirst` and the second end the process with 128 + its number.
    static func handle(_ onFirst: @escaping @Sendable (Int32) -> Void) throws {
        let pipe = mr_catch_stop_signals()
        guard pipe >= 0 else { throw failure(errno) }
        let handler = Unmanaged.passRetained(StopSignals(pipe: pipe, onFirst))
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
            handler.release()
            throw failure(code)
        }
        pthread_detach(thread)
    }

    private func wait() {
        onFirst(next())
        _exit(128 + next())
    }

    private func next() -> Int32 {
        var number: UInt8 = 0
        while read(pipe, &number, 1) != 1 {}
        return Int32(number)
    }

    private static func failure(_ code: Int32) -> Failure {
        Failure(
            .environment,
            code: "cli.signals",
            "Signals cannot be caught: \(String(cString: strerror(code)))."
        )
    }
}
