/// Times of the replication protocol: microseconds since 2000-01-01, UTC.
public enum ReplicationTime {
    /// Microseconds from 1970-01-01 to 2000-01-01.
    public static var epoch: Int64 { @inlinable get { 946_684_800_000_000 } }

    /// Turns a time of the protocol into microseconds since 1970-01-01; the nearest there is for
    /// times that cannot be.
    @inlinable
    public static func unixMicroseconds(_ time: Int64) -> Int64 {
        let (sum, overflow) = time.addingReportingOverflow(epoch)
        return overflow ? .max : sum
    }
}
