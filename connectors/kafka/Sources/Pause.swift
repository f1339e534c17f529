internal import Glibc

/// A short wait on the task's own thread.
internal enum Pause {
    internal static func shortly() { usleep(100_000) }
}
