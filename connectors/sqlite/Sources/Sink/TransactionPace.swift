/// How long transactions should be and how large the page cache, from what the last ones wrote.
///
/// Where keys come in random order each row changes a page of its own. The more rows share a
/// transaction, the more of them meet on one page, which then goes to the log once for all of them:
/// also one that did not fit the cache, for SQLite overwrites it in the log until the commit. Pages
/// that the transaction added do not count: they would be written in any case.
internal struct TransactionPace {
    /// Transactions grow to this many times the configured size.
    private static let growthLimit = 16
    private static let smallestCache = 8 << 20
    /// A page written twice, to the log and from there, takes longer than ten rows.
    private static let sparse = 0.1
    /// Pages per row below which half as long a transaction would do.
    private static let dense = 0.04

    private let base: Int
    private let cacheLimit: Int
    /// The pages that a transaction may write, so that the log stays short.
    private let pageLimit: Double
    /// The records that the next transaction should have.
    internal private(set) var records: Int
    /// The page cache's size in bytes.
    internal private(set) var cacheBytes: Int

    internal init(records: Int, cacheLimit: Int, pageLimit: Int64) {
        base = records
        self.records = records
        self.cacheLimit = cacheLimit
        self.pageLimit = Double(pageLimit)
        cacheBytes = min(Self.smallestCache, cacheLimit)
    }

    /// Takes note that the cache was too small for the pages of a transaction.
    ///
    /// - Returns: whether the cache is to be larger from now on.
    internal mutating func noteSpill() -> Bool {
        guard cacheBytes < cacheLimit else { return false }
        cacheBytes = min(cacheBytes * 2, cacheLimit)
        return true
    }

    /// Takes note of a transaction that wrote `rows` rows and `pages` pages, of which it added some.
    internal mutating func note(rows: Int, pages: Int64, added: Int64) {
        // A short transaction says nothing: records had stopped coming.
        guard rows >= records / 2, rows > 0 else { return }
        let perRow = Double(max(pages - max(added, 0), 0)) / Double(rows)
        if perRow < Self.dense || Double(pages) > pageLimit {
            records = max(records / 2, base)
        } else if perRow > Self.sparse, Double(pages) * 1.5 <= pageLimit {
            records = min(records * 2, base * Self.growthLimit)
        }
    }
}
