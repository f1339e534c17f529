internal import Glibc

/// The files that this process may have open, of which each connection is one.
enum OpenFiles {
    // Topics, databases and logs: strangers who connect must not take theirs.
    private static let others = 256

    /// How many connections there can be, of those that are wanted.
    ///
    /// Raises the process's limit for them as far as it may be raised.
    static func connections(wanted: Int) -> Int {
        var limit = rlimit()
        let kind = Int32(RLIMIT_NOFILE.rawValue)
        guard getrlimit(kind, &limit) == 0 else { return wanted }
        let needed = rlim_t(wanted + others)
        if limit.rlim_cur < needed, limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = min(needed, limit.rlim_max)
            if setrlimit(kind, &raised) == 0 { limit = raised }
        }
        let allowed = Int(clamping: limit.rlim_cur)
        return min(wanted, max(allowed - others, allowed / 2))
    }
}
