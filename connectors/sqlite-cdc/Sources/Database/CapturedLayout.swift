/// What the change log knows of a table: how the rows noted under one number are laid out.
///
/// A layout never changes. When a table's columns do, a new layout takes its place, and rows that
/// were noted under the old one can still be read.
internal struct CapturedLayout: Equatable, Sendable {
    /// One column.
    struct Column: Hashable, Sendable {
        var name: String
        /// The declared words.
        var type: String
        var isNotNull: Bool
        /// The place in the primary key, from 1; 0 for none.
        var keyPosition: Int
    }

    /// The number under which changes are noted.
    var id: Int64
    /// The first layout of the same table: what makes it the same is that triggers were on it all
    /// the time, so that no change was missed.
    var origin: Int64
    var name: String
    var columns: [Column]
    /// A name for the row id; `nil` in a table without.
    var rowID: String?
    /// Whether VACUUM leaves row ids as they are.
    var rowIDIsStable: Bool
    /// Whether a table of this name was captured before, so that targets hold rows of it.
    var isAgain: Bool
    /// Whether triggers are on the table.
    var isLive: Bool

    /// Whether the table has to be read: nobody noted what was in it before.
    var isOrigin: Bool { id == origin }

    /// The columns of the primary key, in its order.
    var keyColumns: [Int] {
        columns.indices.filter { columns[$0].keyPosition > 0 }
            .sorted { columns[$0].keyPosition < columns[$1].keyPosition }
    }
}
