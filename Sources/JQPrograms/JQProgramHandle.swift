internal import CJQ
internal import ConnectorSDK
internal import Glibc

/// A compiled program of libjq, owned once.
///
/// One thread at a time uses it; ``stop(run:)`` and ``run`` may be called from any.
internal final class JQProgramHandle: @unchecked Sendable {
    // SAFETY: the pointer never changes. `JQProgram` hands the program's use from thread to thread
    // one after the other; what other threads may call is locked in C. Nothing here can be checked,
    // since libjq's state is C's.
    private let pointer: OpaquePointer

    /// The schema whose fields are named in libjq.
    private var named: Schema?

    /// What a program came to.
    enum Step { case value, failed, farIndex, refused, exceeded, stopped, end }

    /// How a run began.
    enum Start {
        case started
        /// libjq does not take the value.
        case refused
        /// Only the JSON text of the input says all of it.
        case asText
    }

    /// Compiles a program that may have some memory at once.
    init(_ text: String, memory: Int) throws(JQError) {
        if let problem = mr_jq_load() { throw JQError(.unavailable, String(cString: problem)) }
        // A program ends at its first NUL byte, whatever stands behind it.
        guard !text.utf8.contains(0) else { throw JQError(.syntax, "it has a NUL character") }
        var messages: UnsafeMutablePointer<CChar>?
        guard let program = mr_jq_compile(text, memory, &messages) else {
            defer { free(messages) }
            throw JQError(.syntax, messages.map { String(cString: $0) } ?? "out of memory")
        }
        pointer = program
    }

    deinit { mr_jq_free(pointer) }

    /// Begins a run with a JSON text.
    func start(_ json: UnsafeRawBufferPointer) -> Start {
        guard let start = Self.characters(json) else { return .refused }
        return Self.start(mr_jq_start(pointer, start, json.count))
    }

    /// Begins a run with a text of valid UTF-8.
    func start(text: UnsafeRawBufferPointer) -> Start {
        guard !text.isEmpty else { return Self.start(mr_jq_start_text(pointer, "", 0)) }
        guard let start = Self.characters(text) else { return .refused }
        return Self.start(mr_jq_start_text(pointer, start, text.count))
    }

    /// Begins a run with the object that the cells of a record are.
    func start(_ cells: UnsafePointer<Cell>, of schema: Schema) -> Start {
        if schema !== named { guard name(schema) else { return .asText } }
        return cells.withMemoryRebound(to: mr_jq_cell.self, capacity: schema.count) {
            Self.start(mr_jq_start_fields(pointer, $0))
        }
    }

    private func name(_ schema: Schema) -> Bool {
        named = nil
        let names = schema.fields.map { Array($0.name.utf8) }
        var end = 0
        let ends = names.map { name in
            end += name.count
            return end
        }
        let text = names.joined().map(CChar.init(bitPattern:)) + [0]
        guard mr_jq_name_fields(pointer, text, ends, ends.count) != 0 else { return false }
        named = schema
        return true
    }

    private static func characters(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<CChar>? {
        // libjq counts in `int`.
        guard bytes.count < Int(Int32.max) else { return nil }
        return bytes.bindMemory(to: CChar.self).baseAddress
    }

    private static func start(_ outcome: Int32) -> Start {
        switch Int(outcome) {
        case MR_JQ_STARTED: .started
        case MR_JQ_AS_TEXT: .asText
        default: .refused
        }
    }

    /// Runs up to the next value.
    func next() -> Step {
        switch Int(mr_jq_next(pointer)) {
        case MR_JQ_VALUE: .value
        case MR_JQ_ERROR: .failed
        case MR_JQ_STOPPED: .stopped
        case MR_JQ_FAILED: .refused
        case MR_JQ_MEMORY: .exceeded
        case MR_JQ_FAR: .farIndex
        default: .end
        }
    }

    /// The JSON text of the value, or the message of the error, that was met last; valid until the
    /// next step.
    var text: UnsafeRawBufferPointer {
        var text: UnsafePointer<CChar>?
        var count = 0
        mr_jq_text(pointer, &text, &count)
        return UnsafeRawBufferPointer(start: text, count: count)
    }

    /// Whether a text was left empty because it takes more memory than the program may have.
    var hasNoRoom: Bool { mr_jq_has_failed(pointer) != 0 }

    /// Whether the value that was met last is neither false nor null.
    var isTrue: Bool { mr_jq_is_true(pointer) != 0 }

    /// The members of the value that was met last, valid until the next step; `nil` when it is no
    /// object or its text is to be read.
    var members: JQMembers? {
        var members: UnsafePointer<mr_jq_member>?
        let count = mr_jq_members(pointer, &members)
        return count < 0 ? nil : JQMembers(start: members, count: count)
    }

    /// Ends the run, whatever it came to.
    func finish() { mr_jq_finish(pointer) }

    /// The number of the run in progress, 0 for none.
    var run: UInt { mr_jq_run(pointer) }

    /// Has a run end at its next step, if it is still in progress.
    func stop(run: UInt) { mr_jq_stop(pointer, run) }
}
