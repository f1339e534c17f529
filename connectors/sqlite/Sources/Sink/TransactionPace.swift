/// How long transactions should be and how large the page cache, from what the last ones wrote.
///
/// Where keys come in random order each row changes a page of its own. The more rows share a
/// transaction, the more of them meet on one page, and the more pages stay in the cache.
internal struct TransactionPace {
    /// Transactions grow to this many times the configured size.
    private static let growthLimit = 16
    private static let smallestCache = 8 << 20
    /// Pages per row above which a transaction does not share its pages well.
    private static let sparse = 0.5
    /// Pages per row below which a shorter transaction would do.
    private static let dense = 0.1

    private let base: Int
    private let cacheLimit: Int
    /// The records that the next transaction should have.
    internal private(set) var records: Int
    /// The page cache's size in bytes.
    internal private(set) var cacheBytes: Int

    internal init(records: Int, cacheLimit: Int) {
        base = records
        self.records = records
        self.cacheLimit = cacheLimit
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

    /// Takes note of a transaction that wrote `rows` rows and `pages` pages.
    internal mutating func note(rows: Int, pages: Int64) {
        // A short transaction says nothing: records had stopped coming.
        guard rows >= records / 2, rows > 0 else { return }
        let perRow = Double(pages) / Double(rows)
        if perRow > Self.sparse {
            records = min(records * 2, base * Self.growthLimit)
        } else if perRow < Self.dense, records > base {
            records = max(records / 2, base)
        }
    }
}
