/// What the server said beside its answers: notices and warnings, the latest last.
internal final class PostgresNotices {
    /// Enough for every statement that a person would look at.
    private static let limit = 100
    private var notices: [PostgresFailure] = []

    internal func append(_ notice: PostgresFailure) {
        if notices.count == Self.limit { notices.removeFirst() }
        notices.append(notice)
    }

    internal func take() -> [PostgresFailure] {
        defer { notices = [] }
        return notices
    }
}
