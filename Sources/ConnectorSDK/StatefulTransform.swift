/// A transform that remembers something from one record to later ones, such as sums.
///
/// What it remembers is entries of bytes. The engine stores the changes of entries in the same
/// commit as the records and the position that they belong to (D3), and gives the entries back when
/// the task starts again. Memory is bounded by the transform, with a key for the limit. (D7)
public protocol StatefulTransform: Transform {
    /// Whether a record meets only what records with the same key have left.
    ///
    /// Then several tasks may share the partitions of topics, each with the entries of its own.
    static func keepsToKeys(_ configuration: Configuration) -> Bool

    /// Takes back what was remembered; called once, before any batch.
    ///
    /// - Throws: an error with a way out when the entries were made with another configuration.
    func restore(_ entries: [StateEntry]) throws(ConnectorError)

    /// Says where the records come from that ``Transform/split(_:)`` is given next.
    func begin(_ input: TransformInput)

    /// Hands over the changes of entries since the last call, and may from now on use again the
    /// batches that it returned.
    func takeChanges(_ changes: StateChanges)

    /// Gives what is due without another record, such as a window that has ended.
    ///
    /// Called after ``begin(_:)``, about once a second while no records come, and when the input has
    /// come to its end.
    func due(_ moment: DueMoment) throws(ConnectorError) -> [RecordBatch]

    /// How many records were passed over since the last call, for a reason that the configuration
    /// names: the engine says so to whoever reads the log. (D6)
    func takePassedOver() -> (count: Int, reason: String)?
}

extension StatefulTransform {
    /// Most transforms meet what other keys have left.
    public static func keepsToKeys(_ configuration: Configuration) -> Bool { false }

    /// Nothing is due without a record.
    public func due(_ moment: DueMoment) throws(ConnectorError) -> [RecordBatch] { [] }

    /// Nothing is passed over.
    public func takePassedOver() -> (count: Int, reason: String)? { nil }
}

/// When something may be due without another record.
public enum DueMoment: Sendable {
    /// No records come at present.
    case idle
    /// The input has ended; a later run may go on with more of it.
    case end
}

/// Where the records of a transform come from.
public struct TransformInput: Sendable {
    /// The partition that they were read from; `nil` when they come from elsewhere.
    public var partition: TopicPartition?
    /// The partitions that the task reads and that have records still to be read, or had some a
    /// moment ago: event time does not pass them by.
    public var waiting: [TopicPartition]

    /// Describes where records come from.
    public init(partition: TopicPartition?, waiting: [TopicPartition] = []) {
        self.partition = partition
        self.waiting = waiting
    }
}

/// One thing that a transform remembers.
public struct StateEntry: Sendable, Hashable {
    /// The number of the partition whose records it stands for, or 0.
    public var part: Int32
    /// What it is known by.
    public var key: [UInt8]
    /// What is remembered.
    public var value: [UInt8]

    /// Makes an entry.
    public init(part: Int32, key: [UInt8], value: [UInt8]) {
        self.part = part
        self.key = key
        self.value = value
    }
}

/// Changes of what a transform remembers, in the order they were made.
public final class StateChanges {
    private var bytes: [UInt8] = []
    /// How many changes there are.
    public private(set) var count = 0

    /// Makes an empty list, with room for so many bytes.
    public init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// How many bytes the changes take.
    public var byteCount: Int { bytes.count }

    /// Notes that an entry has a value now.
    public func set(
        part: Int32,
        _ key: some Collection<UInt8>,
        _ value: some Collection<UInt8>
    ) {
        append(part, key)
        append(Int32(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: value)
    }

    /// Notes that an entry is gone.
    public func remove(part: Int32, _ key: some Collection<UInt8>) {
        append(part, key)
        append(-1)
    }

    /// Moves the changes of another list behind these.
    public func take(_ other: StateChanges) {
        bytes.append(contentsOf: other.bytes)
        count += other.count
        other.bytes.removeAll(keepingCapacity: true)
        other.count = 0
    }

    /// Calls `body` with each change; a value of `nil` means that the entry is gone.
    public func forEach<E: Error>(
        _ body: (Int32, UnsafeRawBufferPointer, UnsafeRawBufferPointer?) throws(E) -> Void
    ) throws(E) {
        let failure: E? = bytes.withUnsafeBytes { bytes in
            var at = 0
            do throws(E) {
                for _ in 0..<count {
                    let part = Self.number(bytes, &at)
                    let key = Self.slice(bytes, &at, Int(Self.number(bytes, &at)))
                    let length = Self.number(bytes, &at)
                    try body(part, key, length < 0 ? nil : Self.slice(bytes, &at, Int(length)))
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private func append(_ part: Int32, _ key: some Collection<UInt8>) {
        count += 1
        append(part)
        append(Int32(truncatingIfNeeded: key.count))
        bytes.append(contentsOf: key)
    }

    private func append(_ number: Int32) {
        withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Int32 {
        defer { at += 4 }
        return bytes.loadUnaligned(fromByteOffset: at, as: Int32.self)
    }

    private static func slice(
        _ bytes: UnsafeRawBufferPointer,
        _ at: inout Int,
        _ count: Int
    ) -> UnsafeRawBufferPointer {
        defer { at += count }
        return UnsafeRawBufferPointer(rebasing: bytes[at..<at + count])
    }
}
