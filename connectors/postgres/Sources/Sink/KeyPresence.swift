/// Whether rows that are upserted have been in their table lately, which tells how the next are best
/// written.
///
/// Rows that exist cost less by UPDATE, and new ones much less by COPY, than by INSERT … ON CONFLICT,
/// which looks for each row, locks it or announces it, and then writes it.
internal struct KeyPresence {
    internal enum Way: Hashable {
        /// Look which rows exist before they are written.
        case find
        /// Change them; it shows whether one did not exist.
        case change
        /// INSERT … ON CONFLICT, for rows of both kinds.
        case merge
    }

    /// Pieces that are merged before it is looked again: looking costs a seventh of that.
    internal static let mergesInARow = 16
    /// Fewer rows are not worth looking, and another command for them.
    internal static let rowLimit = 512

    private var mergesLeft = 0
    private var allExisted = false

    /// How the next rows are to be written.
    internal var way: Way { mergesLeft > 0 ? .merge : allExisted ? .change : .find }

    /// Takes note of how many rows of a piece existed.
    internal mutating func found(_ count: Int, of rows: Int) {
        allExisted = count == rows
        mergesLeft = count > 0 && count < rows ? Self.mergesInARow : 0
    }

    /// Takes note that rows were merged.
    internal mutating func merged() { mergesLeft = max(0, mergesLeft - 1) }
}
