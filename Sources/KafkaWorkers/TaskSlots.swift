internal import PipelineEngine

/// Which slot has which tasks.
///
/// Whoever holds a slot runs its tasks.
///
/// Slots are the partitions of a topic, and so many that however a few workers share them each has
/// about as many as the others.
internal struct TaskSlots {
    /// Never changed while a cluster lives: a task's slot depends on it.
    internal static let count: Int32 = 128

    /// Neighbours in the list of tasks are this far apart: 128 by the golden ratio, and odd, so that
    /// tasks are spread evenly however many workers have a run of slots each.
    private static let step: Int32 = 79

    private let tasks: [Int32: [TaskID]]

    /// Spreads tasks, whose order is the same in all workers.
    internal init(_ order: [TaskID]) {
        tasks = Dictionary(grouping: order.indices) { Self.slot(ofTaskAt: $0) }
            .mapValues { $0.map { order[$0] } }
    }

    internal static func slot(ofTaskAt index: Int) -> Int32 {
        Int32(index % Int(count)) * step % count
    }

    /// The tasks of slots.
    internal func tasks(in slots: some Sequence<Int32>) -> [TaskID] {
        slots.flatMap { tasks[$0] ?? [] }
    }
}
