internal import CPCRE2

/// A compiled pattern, freed when it goes out of scope.
///
/// PCRE2 does not change it once it is made, so any number of threads may match with it, each with
/// a ``MatchHandle`` of its own.
@safe
internal struct PatternHandle: ~Copyable {
    fileprivate let code: OpaquePointer

    /// Compiles a pattern; offsets of errors are bytes of it.
    init(
        _ pattern: String,
        options: RegularExpression.Options,
        extent: RegularExpression.Extent
    ) throws(PatternError) {
        // What is matched may hold any bytes; those that are no UTF-8 match nothing.
        var flags = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C
        if options.contains(.caseInsensitive) { flags |= PCRE2_CASELESS }
        if options.contains(.dotMatchesLineEnds) { flags |= PCRE2_DOTALL }
        if options.contains(.multiline) { flags |= PCRE2_MULTILINE }
        switch extent {
        // Options of a pattern, unlike those of a match, leave it to the compiled machine code.
        case .whole: flags |= PCRE2_ANCHORED | PCRE2_ENDANCHORED
        case .prefix: flags |= PCRE2_ANCHORED
        case .anywhere: flags |= PCRE2_USE_OFFSET_LIMIT
        }
        var pattern = pattern
        var code: CInt = 0
        var offset = 0
        let compiled = pattern.withUTF8 { text in
            pcre2_compile_8(text.baseAddress, text.count, flags, &code, &offset, nil)
        }
        guard let compiled else {
            throw PatternError(offset: offset, reason: Self.message(code))
        }
        self.code = compiled
        // Where memory cannot be made executable, matching is slower and the same.
        _ = pcre2_jit_compile_8(compiled, PCRE2_JIT_COMPLETE)
    }

    deinit { pcre2_code_free_8(code) }

    /// The number of groups in parentheses.
    var groupCount: Int {
        var count: UInt32 = 0
        _ = pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
        return Int(count)
    }

    /// The groups that have a name, by number.
    var namedGroups: [(name: String, number: Int)] {
        var count: UInt32 = 0, size: UInt32 = 0
        var table: UnsafePointer<UInt8>?
        _ = pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &count)
        _ = pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &size)
        _ = pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
        guard let table else { return [] }
        // An entry is the number in two bytes, then the name with a zero behind it.
        let groups = (0..<Int(count)).map { index in
            let entry = table + index * Int(size)
            return (String(cString: entry + 2), Int(entry[0]) << 8 | Int(entry[1]))
        }
        return groups.sorted { $0.1 < $1.1 }
    }

    private static func message(_ code: CInt) -> String {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { buffer in
            let count = pcre2_get_error_message_8(code, buffer.baseAddress, buffer.count)
            return String(decoding: buffer.prefix(max(0, Int(count))), as: UTF8.self)
        }
    }
}

/// What one thread needs to match with a pattern, allocated once.
@safe
internal struct MatchHandle: ~Copyable {
    private let data: OpaquePointer
    private let context: OpaquePointer
    private let stack: OpaquePointer?
    /// Where each group begins and ends, the whole match being group 0.
    ///
    /// -1 for a group that took no part. The place stays the same.
    let offsets: UnsafePointer<Int>

    /// What becomes of a match.
    enum Outcome {
        case matched
        case unmatched
        /// It took more steps or memory than it may.
        case exhausted
    }

    /// The memory that backtracking may take. (D7)
    private static let stackLimit = 1 << 20
    private static let heapLimitKiB: UInt32 = 16 << 10

    init(for pattern: borrowing PatternHandle) {
        guard let data = pcre2_match_data_create_from_pattern_8(pattern.code, nil),
            let context = pcre2_match_context_create_8(nil)
        else { fatalError("There is no memory left.") }
        self.data = data
        self.context = context
        stack = pcre2_jit_stack_create_8(32 << 10, Self.stackLimit, nil)
        if let stack { pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack)) }
        _ = pcre2_set_heap_limit_8(context, Self.heapLimitKiB)
        offsets = UnsafeRawPointer(pcre2_get_ovector_pointer_8(data))
            .assumingMemoryBound(to: Int.self)
    }

    deinit {
        pcre2_match_data_free_8(data)
        pcre2_match_context_free_8(context)
        if let stack { pcre2_jit_stack_free_8(stack) }
    }

    /// Sets how many steps a match may take from each place where it begins.
    borrowing func limit(steps: Int) {
        _ = pcre2_set_match_limit_8(context, UInt32(clamping: steps))
    }

    /// Sets the last place where a match may begin, of patterns that match anywhere.
    borrowing func limit(lastStart: Int?) {
        _ = pcre2_set_offset_limit_8(context, lastStart ?? Int(bitPattern: UInt.max))
    }

    /// Looks for a match that begins at `start` or later.
    borrowing func match(
        _ pattern: borrowing PatternHandle,
        _ bytes: UnsafeRawBufferPointer,
        from start: Int
    ) -> Outcome {
        // An empty text may have no address; any other will do then.
        let subject = bytes.baseAddress ?? UnsafeRawPointer(offsets)
        let code = pcre2_match_8(
            pattern.code,
            subject.assumingMemoryBound(to: UInt8.self),
            bytes.count,
            start,
            0,
            data,
            context
        )
        if code >= 0 { return .matched }
        return code == PCRE2_ERROR_NOMATCH ? .unmatched : .exhausted
    }
}
