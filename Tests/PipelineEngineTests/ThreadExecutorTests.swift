import Glibc
import Testing

@testable import PipelineEngine

@Suite("Task threads")
struct ThreadExecutorTests {
    @Test("a task stays on its own thread, also after it was suspended")
    func affinity() async throws {
        let threads = try [ThreadExecutor(name: "a"), ThreadExecutor(name: "b")]
        let seen = await withTaskGroup(of: Set<UInt>.self) { group in
            for thread in threads {
                group.addTask(executorPreference: thread) {
                    var seen: Set<UInt> = [UInt(pthread_self())]
                    for _ in 0..<20 {
                        await Task.yield()
                        await nested()
                        seen.insert(UInt(pthread_self()))
                    }
                    return seen
                }
            }
            return await group.reduce(into: [Set<UInt>]()) { $0.append($1) }
        }
        for thread in threads { thread.stop() }
        #expect(seen.count == 2)
        #expect(seen.allSatisfy { $0.count == 1 })
        #expect(Set(seen.flatMap { $0 }).count == 2)
    }

    private func nested() async { await Task.yield() }

    @Test("blocking tasks do not hold up the others", .timeLimit(.minutes(10)))
    func blocking() async throws {
        // As many as would fill a small machine's cooperative pool several times over.
        let threads = try (0..<8).map { try ThreadExecutor(name: "block \($0)") }
        let gate = Gate()
        await withTaskGroup(of: Void.self) { group in
            for thread in threads {
                group.addTask(executorPreference: thread) { gate.wait() }
            }
            // Runs on the cooperative pool, which the blocked tasks must have left free.
            group.addTask { gate.open() }
            await group.waitForAll()
        }
        for thread in threads { thread.stop() }
    }
}

/// Blocks threads until it is opened.
private final class Gate: @unchecked Sendable {
    // SAFETY: a POSIX semaphore may be used from any thread; its address does not change.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func wait() {
        sem_wait(semaphore)
        sem_post(semaphore)
    }

    func open() { sem_post(semaphore) }
}
