internal import Glibc

/// Waiting for descriptors.
internal enum Poll {
    internal enum Outcome {
        case ready, woken, timedOut
    }

    /// Waits until `descriptor` is ready for `events` (or broken), `wakeUp` is readable, or the
    /// deadline has passed.
    internal static func wait(
        _ descriptor: Int32,
        for events: Int32,
        wakeUp: Int32 = -1,
        until deadline: ContinuousClock.Instant?
    ) -> Outcome {
        while true {
            var descriptors = [
                pollfd(fd: descriptor, events: Int16(events), revents: 0),
                pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&descriptors, wakeUp < 0 ? 1 : 2, milliseconds(until: deadline))
            if count == 0 {
                guard let deadline, deadline <= .now else { continue }
                return .timedOut
            }
            if count < 0 {
                if errno == EINTR { continue }
                // libpq finds out, and says what is wrong with the descriptor.
                return .ready
            }
            return descriptors[0].revents != 0 ? .ready : .woken
        }
    }

    private static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
        guard let deadline else { return -1 }
        // Rounded up, so that a wait never ends before its deadline and spins.
        let left = (deadline - .now) / .milliseconds(1)
        return Int32(min(max(left, 0), 3_600_000).rounded(.up))
    }
}
