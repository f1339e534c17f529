internal import Synchronization

/// A queue between the threads that receive and the one that takes, bounded by what it holds.
///
/// Whoever puts something in is told whether there is room for more; when there is none it stops
/// receiving until ``init(limit:onRoom:)``'s function is called. What was under way meanwhile is
/// still taken, so that nothing received is lost. (D7)
public final class HandOver<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        /// What is in `elements`, and what was taken and not yet released.
        var cost = 0
        var isFull = false
        var onPut: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let limit: Int
    private let onRoom: @Sendable () -> Void

    /// Makes an empty queue.
    ///
    /// - Parameters:
    ///   - limit: how much it holds; half of it must be free again before `onRoom` is called.
    ///   - onRoom: called on the taking thread when there is room again after there was none.
    public init(limit: Int, onRoom: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.onRoom = onRoom
    }

    /// Has `wake` called whenever something is put into an empty queue.
    public func whenPut(_ wake: @escaping @Sendable () -> Void) {
        state.withLock { $0.onPut = wake }
    }

    /// Whether there is room.
    public var hasRoom: Bool { state.withLock { !$0.isFull } }

    /// What it holds, with what was taken and not released.
    public var cost: Int { state.withLock { $0.cost } }

    /// Puts something in; returns whether there is room for more.
    @discardableResult
    public func put(_ element: Element, cost: Int) -> Bool {
        let (hasRoom, wake) = state.withLock { state in
            let wake = state.elements.isEmpty ? state.onPut : nil
            state.elements.append(element)
            state.cost += cost
            if state.cost >= limit { state.isFull = true }
            return (!state.isFull, wake)
        }
        wake?()
        return hasRoom
    }

    /// Takes everything, in order.
    ///
    /// It counts until it is released.
    public func takeAll() -> [Element] {
        state.withLock { state in
            let elements = state.elements
            state.elements = []
            return elements
        }
    }

    /// Lets go of what was taken.
    public func release(_ cost: Int) {
        let hasRoomAgain = state.withLock { state in
            state.cost -= cost
            guard state.isFull, state.cost <= limit / 2 else { return false }
            state.isFull = false
            return true
        }
        if hasRoomAgain { onRoom() }
    }
}
