/// Trips when more than `limit` of the last `window` records were rejected.
///
/// Costs nothing for a record that is not rejected: only the numbers of the last rejected ones
/// are kept.
struct RejectionBreaker {
    /// More rejections than this within the window trip it; 0 turns it off.
    let limit: Int
    /// How many records it looks back.
    let window: Int

    private var recent: [Int64] = []
    private var oldest = 0

    init(limit: Int, window: Int) {
        self.limit = limit
        self.window = window
    }

    /// Notes that the task's record number `number` was rejected; numbers ascend.
    ///
    /// - Returns: whether there were too many.
    mutating func rejected(record number: Int64) -> Bool {
        guard limit > 0 else { return false }
        guard recent.count > limit else {
            recent.append(number)
            return recent.count > limit && number - recent[0] < Int64(window)
        }
        recent[oldest] = number
        oldest = (oldest + 1) % recent.count
        return number - recent[oldest] < Int64(window)
    }
}
