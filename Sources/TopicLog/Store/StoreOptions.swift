/// What may be chosen when a data directory is opened; the defaults suit nearly everyone.
public struct StoreOptions: Sendable {
    /// The bytes that may wait to become durable before `submit` blocks. (D7)
    ///
    /// 8 MiB: two groups of four full batches, so that one is encoded while another is on its way
    /// to the disk.
    public var bytesInFlight = 8 << 20
    /// How often retention and compaction look for work; `nil` for never.
    public var maintenanceInterval: Duration? = .seconds(30)
    /// How often a store that is open for reading looks for what the worker has committed.
    public var followInterval: Duration = .milliseconds(20)
    /// The memory for the keys of one compaction, in bytes. (D7)
    public var compactionMemory = 16 << 20
    /// The calls that change files.
    internal var operations = FileOperations.system

    /// Makes the default options.
    public init() {}
}
