internal import Glibc

/// A program in jq's language.
///
/// It runs on a thread of its own, which has room for values that are nested as deeply as the
/// memory limit allows, while the thread that asked for it waits and sees to the limits. (D7) What
/// one call of libjq does at a stroke, such as making an array with one element far out, is beyond
/// them.
public final class JQProgram {
    /// What a program may take for one input.
    public struct Limits: Sendable {
        /// The time until it is stopped.
        public var time: Duration
        /// By how many bytes the process may grow meanwhile.
        public var memory: Int
        /// The number of values that it may give.
        public var values: Int

        /// Sets limits.
        public init(time: Duration, memory: Int, values: Int) {
            self.time = time
            self.memory = memory
            self.values = values
        }
    }

    private let text: String
    /// Whether the program asks for the record around the value, as `$record`: it then runs with an
    /// object of both, `{"record":…,"value":…}`.
    public let usesRecord: Bool
    private let handle: JQProgramHandle
    private let limits: Limits
    private let thread: JQThread

    /// Compiles a program, which takes some tens of milliseconds.
    public init(_ text: String, limits: Limits) throws(JQError) {
        self.text = text
        usesRecord = JQPrelude.usesRecord(text)
        self.limits = limits
        handle = try Self.compile(text)
        thread = try JQThread()
    }

    /// Why a text is no program; `nil` when it is one.
    public static func problem(with text: String) -> JQError? {
        do throws(JQError) {
            _ = try compile(text)
            return nil
        } catch {
            return error
        }
    }

    private static func compile(_ text: String) throws(JQError) -> JQProgramHandle {
        do throws(JQError) {
            return try JQProgramHandle(JQPrelude.with(text))
        } catch {
            guard error.code == .syntax else { throw error }
            throw JQError(.syntax, JQMessage.ofCompiler(error.message))
        }
    }

    /// Runs `body` on the program's thread, where it may call ``run(_:each:)``, and waits for it.
    public func perform(_ body: () -> Void) {
        thread.perform(body) { [handle, limits] in Watch(handle, limits) }
    }

    /// Runs the program with one JSON text.
    ///
    /// To be called from within ``perform(_:)``, for one input after the other.
    ///
    /// - Parameters:
    ///   - json: the input.
    ///   - each: takes each value as JSON text, valid until it returns; returns whether the program
    ///     is to go on.
    /// - Throws: why the program did not come to its end.
    public func run(
        _ json: UnsafeRawBufferPointer,
        each: (UnsafeRawBufferPointer) -> Bool
    ) throws(JQError) {
        guard handle.start(json) else {
            throw JQError(.input, "libjq does not take the value: it is nested too deeply")
        }
        defer { handle.finish() }
        var count = 0
        while true {
            switch handle.next() {
            case .end: return
            case .stopped:
                throw JQError(.limit, "the program did not end within its time and memory")
            case .failed(let message):
                let said = String(decoding: message, as: UTF8.self)
                throw JQError(.raised, JQMessage.ofProgram(said, program: text))
            case .value(let value):
                count += 1
                guard count <= limits.values else {
                    throw JQError(.limit, "the program gives more than \(limits.values) values")
                }
                guard each(value) else { return }
            }
        }
    }
}

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
