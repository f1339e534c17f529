internal import Glibc

/// Sees to the limits of a program, from outside.
///
/// It looks now and then: a run that it meets again is timed from when it was met first.
internal struct Watch {
    /// Often enough for limits of a tenth of a second, and next to no work.
    static let interval = Duration.milliseconds(10)

    private let handle: JQProgramHandle
    private let limits: JQProgram.Limits
    private var run: UInt = 0
    private var since = ContinuousClock.now
    private var memory = 0

    init(_ handle: JQProgramHandle, _ limits: JQProgram.Limits) {
        self.handle = handle
        self.limits = limits
    }

    /// Looks once.
    mutating func look() {
        let current = handle.run
        guard current != 0, current == run else {
            run = current
            since = .now
            memory = Self.residentMemory()
            return
        }
        guard
            ContinuousClock.now - since >= limits.time
                || Self.residentMemory() - memory >= limits.memory
        else { return }
        handle.stop(run: current)
    }

    /// The process's memory in bytes; 0 where the system does not say.
    private static func residentMemory() -> Int {
        let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 1) { room in
            let count = read(descriptor, room.baseAddress, room.count)
            guard count > 0 else { return 0 }
            // In pages: the size, then what is resident.
            let fields = room.prefix(count).split(separator: UInt8(ascii: " "))
            guard fields.count > 1 else { return 0 }
            return fields[1].reduce(0) { $0 * 10 + Int($1) - 48 }
                * Int(sysconf(Int32(_SC_PAGESIZE)))
        }
    }
}
