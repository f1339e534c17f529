internal import CJQ
internal import Glibc

/// A compiled program of libjq, owned once.
///
/// One thread at a time uses it; ``stop(run:)`` and ``run`` may be called from any.
internal final class JQProgramHandle: @unchecked Sendable {
    // SAFETY: the pointer never changes. `JQProgram` hands the program's use from thread to thread
    // one after the other; what other threads may call is locked in C. Nothing here can be checked,
    // since libjq's state is C's.
    private let pointer: OpaquePointer

    /// What a program came to.
    enum Step {
        /// A value, as JSON text that is valid until the next step.
        case value(UnsafeRawBufferPointer)
        /// An error that the program did not catch: its message, valid until the next step.
        case failed(UnsafeRawBufferPointer)
        case stopped
        case end
    }

    /// Compiles a program.
    init(_ text: String) throws(JQError) {
        if let problem = mr_jq_load() { throw JQError(.unavailable, String(cString: problem)) }
        // A program ends at its first NUL byte, whatever stands behind it.
        guard !text.utf8.contains(0) else { throw JQError(.syntax, "it has a NUL character") }
        var messages: UnsafeMutablePointer<CChar>?
        guard let program = mr_jq_compile(text, &messages) else {
            defer { free(messages) }
            throw JQError(.syntax, messages.map { String(cString: $0) } ?? "out of memory")
        }
        pointer = program
    }

    deinit { mr_jq_free(pointer) }

    /// Begins a run; `false` when libjq does not take the text.
    func start(_ json: UnsafeRawBufferPointer) -> Bool {
        guard let start = json.bindMemory(to: CChar.self).baseAddress else { return false }
        // libjq counts in `int`.
        guard json.count < Int(Int32.max) else { return false }
        return mr_jq_start(pointer, start, json.count) != 0
    }

    /// Runs up to the next value.
    func next() -> Step {
        var text: UnsafePointer<CChar>?
        var count = 0
        let outcome = mr_jq_next(pointer, &text, &count)
        let bytes = UnsafeRawBufferPointer(start: text, count: count)
        switch Int(outcome) {
        case MR_JQ_VALUE: return .value(bytes)
        case MR_JQ_ERROR: return .failed(bytes)
        case MR_JQ_STOPPED: return .stopped
        default: return .end
        }
    }

    /// Ends the run, whatever it came to.
    func finish() { mr_jq_finish(pointer) }

    /// The number of the run in progress, 0 for none.
    var run: UInt { mr_jq_run(pointer) }

    /// Has a run end at its next step, if it is still in progress.
    func stop(run: UInt) { mr_jq_stop(pointer, run) }
}
