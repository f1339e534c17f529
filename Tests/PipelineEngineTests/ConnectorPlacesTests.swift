import ConnectorSDK
import PipelineEngine
import Testing
import Topics

@Suite("Places of connectors on their way to another store")
struct ConnectorPlacesTests {
    private let place = TopicPartition("t", 0)

    private func makeStore() throws -> EngineBench {
        let bench = try EngineBench()
        try bench.store.create("t", partitions: 1, settings: TopicSettings())
        try bench.store.create("u", partitions: 1, settings: TopicSettings())
        return bench
    }

    // D2: offsets in a target are those of the store that it was written from.
    @Test("a sink whose offset is another one in the other store is told, whatever its target says")
    func translated() throws {
        let here = try makeStore(), there = try makeStore()
        let (other, handled) = (TopicPartition("u", 0), "{\"next\":10,\"handled\":[[12,14]]}")
        try here.store.commitGroupOffsets("connect-out", [place: 10, other: 5])
        try here.store.commitGroupOffsets("mine", [place: 14])
        try here.store.commitGroupOffsets("millrace-dlq", [place: 10])
        try here.store.setPositions(of: "millrace/dlq", to: ["\(place)": handled])
        try here.store.setPositions(of: "in", to: ["file": "{\"byte\":7}"])
        var places = try ConnectorPlaces(of: here.store, topics: ["t", "u"], sources: true)
        #expect(Set(places.offsets(of: place)) == [10, 12, 14])
        places.translate(place, [10: 7, 12: 8, 14: 9])
        places.translate(other, [5: 5])
        try places.checkPositions(in: there.store)
        try places.checkGroups(in: there.store)
        _ = try places.commit(to: there.store, statesOf: here.store)
        let store = there.store
        #expect(try store.groupOffsets("connect-out") == [place: 7, other: 5])
        #expect(try store.groupOffsets("connect-out#reset") == [place: 7])
        #expect(try store.groupOffsets("mine") == [place: 9])
        #expect(try store.groupOffsets("mine#reset").isEmpty)
        let moved = "{\"next\":7,\"handled\":[[8,9]]}"
        #expect(try store.positions(of: "millrace/dlq") == ["\(place)": moved])
        #expect(try store.positions(of: "in") == ["file": "{\"byte\":7}"])
        // The same once more changes nothing; what has run there is not overwritten.
        try places.checkPositions(in: store)
        try places.checkGroups(in: store)
        try store.commitGroupOffsets("connect-out", [place: 8])
        try store.setPositions(of: "in", to: ["file": "{\"byte\":9}"])
        let group = #expect(throws: ConnectorError.self) { try places.checkGroups(in: store) }
        #expect(group?.message.contains("read t-0 up to 8 on the cluster, and to 7") == true)
        let source = #expect(throws: ConnectorError.self) { try places.checkPositions(in: store) }
        #expect(source?.message.contains("The source in has other positions") == true)
        let some = try ConnectorPlaces(of: here.store, topics: ["u"], sources: false)
        #expect(some.groups == ["connect-out": [other: 5]])
        #expect(some.positions.isEmpty)
    }
}
