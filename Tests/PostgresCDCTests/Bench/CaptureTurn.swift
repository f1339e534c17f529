import Foundation
import Testing

/// Lets a few captures run at a time: each has threads, connections and a slot of the server, whose
/// making waits for the transactions of all others.
struct CaptureTurn: TestTrait, SuiteTrait, TestScoping {
    private static let turns = Turns(3)

    let isRecursive = true

    func scopeProvider(for test: Test, testCase: Test.Case?) -> CaptureTurn? {
        testCase == nil ? nil : self
    }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await Self.turns.take()
        let start = ContinuousClock.now
        defer {
            if ProcessInfo.processInfo.environment["MILLRACE_TEST_TIMES"] != nil {
                print("TIME", ContinuousClock.now - start, test.name)
            }
        }
        do {
            try await function()
        } catch {
            await Self.turns.give()
            throw error
        }
        await Self.turns.give()
    }

    private actor Turns {
        private var free: Int
        private var waiting: [CheckedContinuation<Void, Never>] = []

        init(_ count: Int) { free = count }

        func take() async {
            if free > 0 {
                free -= 1
            } else {
                await withCheckedContinuation { waiting.append($0) }
            }
        }

        func give() {
            if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
        }
    }
}

extension Trait where Self == CaptureTurn {
    /// Waits for a turn.
    static var captureTurn: CaptureTurn { CaptureTurn() }
}
