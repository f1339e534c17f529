/// Which of several tasks reads a table: by its name, so that other tables' coming changes nothing.
public enum TaskShare {
    /// The number of the task, from 0.
    public static func task(of name: String, among count: Int) -> Int {
        guard count > 1 else { return 0 }
        var hash: UInt32 = 2_166_136_261
        for byte in name.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return Int(hash % UInt32(clamping: count))
    }
}
