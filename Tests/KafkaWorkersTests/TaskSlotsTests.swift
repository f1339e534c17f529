import PipelineEngine
import Testing

@testable import KafkaWorkers

@Suite("Slots of tasks")
struct TaskSlotsTests {
    private func order(_ count: Int) -> [TaskID] { (0..<count).map { TaskID("c", $0) } }

    @Test("every task has one slot, and up to 128 tasks have slots of their own")
    func oneEach() {
        let slots = TaskSlots(order(128))
        for slot in 0..<TaskSlots.count { #expect(slots.tasks(in: [slot]).count == 1) }
        let many = TaskSlots(order(300))
        #expect(Set(many.tasks(in: 0..<TaskSlots.count)) == Set(order(300)))
        #expect((0..<TaskSlots.count).allSatisfy { many.tasks(in: [$0]).count <= 3 })
    }

    // As librdkafka's cooperative assignor shares partitions: each member has runs of them.
    @Test("workers that have runs of slots have tasks evenly", arguments: 2...12)
    func even(_ count: Int) {
        let slots = TaskSlots(order(count))
        for workers in 2...5 {
            let size = (Int(TaskSlots.count) + workers - 1) / workers
            for worker in 0..<workers {
                let run = (0..<TaskSlots.count).filter { Int($0) / size == worker }
                let fair = (count + workers - 1) / workers
                #expect(slots.tasks(in: run).count <= fair + 1)
            }
        }
    }
}
