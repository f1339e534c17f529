public import ConnectorSDK

/// A program in jq's language.
///
/// It runs on a thread of its own, which has room for values that are nested as deeply as the
/// memory limit allows, while the thread that asked for it waits and sees to the limits. What libjq asks
/// for at a stroke, as for an array with one element far out, is held to the limit where it asks. (D7)
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

    /// How often libjq may be unable to go on.
    ///
    /// Each time it keeps what it had in hand, which is mostly a part of the input, so that memory
    /// stays bounded (D7) by this many inputs.
    private static let refusalLimit = 1_000

    private let text: String
    private var refusals = 0
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
        handle = try Self.compile(text, memory: limits.memory)
        thread = try JQThread(memory: limits.memory)
    }

    /// Why a text is no program; `nil` when it is one.
    public static func problem(with text: String) -> JQError? {
        do throws(JQError) {
            _ = try compile(text, memory: 0)
            return nil
        } catch {
            return error
        }
    }

    private static func compile(
        _ text: String,
        memory: Int
    ) throws(JQError) -> JQProgramHandle {
        do throws(JQError) {
            return try JQProgramHandle(JQPrelude.with(text), memory: memory)
        } catch {
            guard error.code == .syntax else { throw error }
            throw JQError(.syntax, JQMessage.ofCompiler(error.message))
        }
    }

    /// Runs `body` on the program's thread, where it may call ``run(_:each:)``, and waits for it.
    public func perform(_ body: () -> Void) {
        thread.perform(body) { [handle, limits] in Watch(handle, limits) }
    }

    /// What a program runs with.
    public enum Input {
        /// A JSON text.
        case json(UnsafeRawBufferPointer)
        /// A string, given by its UTF-8.
        case text(UnsafeRawBufferPointer)
        /// An object: a record's cells under their fields' names.
        case fields(UnsafePointer<Cell>, Schema)
    }

    /// Runs the program with one input.
    ///
    /// To be called from within ``perform(_:)``, for one input after the other.
    ///
    /// - Parameters:
    ///   - input: the input.
    ///   - each: takes each value; returns whether the program is to go on.
    /// - Returns: `false`, and nothing was done, when fields have a value that only their JSON text
    ///   can hand over.
    /// - Throws: why the program did not come to its end.
    public func run(_ input: Input, each: (JQValue) -> Bool) throws(JQError) -> Bool {
        guard refusals < Self.refusalLimit else {
            throw JQError(.exhausted, "libjq could not go on with \(refusals) records")
        }
        switch start(input) {
        case .started: break
        case .asText: return false
        case .refused:
            throw JQError(.input, "libjq does not take the value: it is nested too deeply")
        }
        defer { handle.finish() }
        var count = 0
        while true {
            switch handle.next() {
            case .end: return true
            case .stopped:
                throw JQError(.limit, "it did not end within `timeout.ms` and `memory.max`")
            case .refused:
                refusals += 1
                throw JQError(
                    .refused,
                    "libjq cannot go on with such values, as where an index is not a number"
                )
            case .exceeded: throw noRoom()
            case .farIndex:
                throw JQError(
                    .limit,
                    "an index makes an array of more than `memory.max`, "
                        + "\(limits.memory) bytes"
                )
            case .failed:
                let said = String(decoding: handle.text, as: UTF8.self)
                throw JQError(.raised, JQMessage.ofProgram(said, program: text))
            case .value:
                count += 1
                guard count <= limits.values else {
                    throw JQError(.limit, "the program gives more than \(limits.values) values")
                }
                let goesOn = each(JQValue(handle: handle))
                guard !handle.hasNoRoom else { throw noRoom() }
                guard goesOn else { return true }
            }
        }
    }

    private func noRoom() -> JQError {
        refusals += 1
        return JQError(
            .limit,
            "an array or a text is of more than `memory.max`, \(limits.memory) bytes"
        )
    }

    private func start(_ input: Input) -> JQProgramHandle.Start {
        switch input {
        case .json(let text): handle.start(text)
        case .text(let text): handle.start(text: text)
        case .fields(let cells, let schema): handle.start(cells, of: schema)
        }
    }
}
