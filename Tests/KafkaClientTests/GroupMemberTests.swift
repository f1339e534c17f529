import Foundation
import KafkaClient
import TestServices
import Testing

/// Brokers on which members share partitions.
enum GroupBroker: CaseIterable {
    case mock, tansu

    /// A broker with a topic, and what keeps it there.
    func start(_ topic: String, partitions: Int32) throws -> (KafkaSettings, AnyObject?) {
        switch self {
        case .mock:
            let cluster = try KafkaMockHandle()
            cluster.createTopic(topic, partitions: partitions)
            return (KafkaSettings(["bootstrap.servers": cluster.bootstrap]), cluster)
        case .tansu:
            let bootstrap = try KafkaBroker.shared().bootstrap
            let settings = KafkaSettings(["bootstrap.servers": bootstrap])
            try KafkaAdmin(settings, timeout: .seconds(120))
                .createTopic(topic, partitions: partitions, replication: 1)
            return (settings, nil)
        }
    }
}

/// A member and what the group has told it so far.
final class GroupSeat {
    let member: KafkaGroupMember
    /// Whether what is revoked is given back at once.
    var releases = true
    private(set) var events: [KafkaGroupMember.Event] = []

    init(_ settings: KafkaSettings, group: String, topic: String, instance: String? = nil) throws {
        // The shortest that brokers take; a first member waits for half of it on some.
        let settings = settings.withDefaults(["session.timeout.ms": "6000"])
        member = try KafkaGroupMember(settings, group: group, topic: topic, instance: instance)
    }

    var held: Set<Int32> { Set(member.partitions.map(\.partition)) }

    func turn() throws {
        guard let event = try member.next(.milliseconds(50)) else { return }
        events.append(event)
        switch event {
        case .assigned(let partitions): try member.accept(partitions)
        case .revoked(let partitions), .lost(let partitions):
            if releases { try member.release(partitions) }
        }
    }
}

@Suite("Members of a group", .timeLimit(.minutes(10)))
struct GroupMemberTests {
    let topic = "slots-" + UUID().uuidString.lowercased()

    /// Lets members take part until something holds.
    private func turn(
        _ seats: [GroupSeat],
        _ location: SourceLocation = #_sourceLocation,
        until isDone: () -> Bool
    ) throws {
        // Attempts as well as time: a loaded machine may stop this process for long.
        for _ in 0..<2_400 {
            if isDone() { return }
            for seat in seats { try seat.turn() }
        }
        try #require(isDone(), sourceLocation: location)
    }

    @Test("two members share, and one that leaves hands over", arguments: GroupBroker.allCases)
    func sharing(_ broker: GroupBroker) throws {
        let (settings, keeper) = try broker.start(topic, partitions: 8)
        defer { withExtendedLifetime(keeper) {} }
        let first = try GroupSeat(settings, group: topic, topic: topic)
        try turn([first]) { first.held.count == 8 }
        let second = try GroupSeat(settings, group: topic, topic: topic)
        try turn([first, second]) { !second.held.isEmpty && first.held.count < 8 }
        try turn([first, second]) { first.held.count + second.held.count == 8 }
        #expect(first.held.isDisjoint(with: second.held))
        #expect(first.held.count == 4)
        // What stayed was never taken away in between.
        let taken = first.events.flatMap { event -> [KafkaPartition] in
            if case .revoked(let partitions) = event { partitions } else { [] }
        }
        #expect(Set(taken.map(\.partition)).isDisjoint(with: first.held))
        #expect(second.member.leave(.seconds(120)))
        try turn([first]) { first.held.count == 8 }
        #expect(first.member.leave(.seconds(120)))
        #expect(first.held.isEmpty)
    }

    @Test("nobody gets a partition before it was given back", arguments: GroupBroker.allCases)
    func handOver(_ broker: GroupBroker) throws {
        let (settings, keeper) = try broker.start(topic, partitions: 8)
        defer { withExtendedLifetime(keeper) {} }
        let first = try GroupSeat(settings, group: topic, topic: topic)
        try turn([first]) { first.held.count == 8 }
        first.releases = false
        let second = try GroupSeat(settings, group: topic, topic: topic)
        var revoked: [KafkaPartition] = []
        try turn([first, second]) {
            if case .revoked(let partitions) = first.events.last { revoked = partitions }
            return !revoked.isEmpty
        }
        // The second takes part, and its turns bring it nothing.
        for _ in 0..<10 { try second.turn() }
        #expect(second.held.isEmpty)
        first.releases = true
        try first.member.release(revoked)
        try turn([first, second]) { second.held.count == revoked.count }
        #expect(second.held == Set(revoked.map(\.partition)))
    }

    @Test("a member that the group has forgotten is told that its partitions are lost")
    func lost() throws {
        let cluster = try KafkaMockHandle()
        cluster.createTopic(topic, partitions: 8)
        let settings = KafkaSettings([
            "bootstrap.servers": cluster.bootstrap, "heartbeat.interval.ms": "200",
        ])
        let seat = try GroupSeat(settings, group: topic, topic: topic)
        try turn([seat]) { seat.held.count == 8 }
        // UNKNOWN_MEMBER_ID
        cluster.fail(.heartbeat, with: [25])
        try turn([seat]) {
            seat.events.contains { if case .lost = $0 { true } else { false } }
        }
        #expect(seat.held.isEmpty)
    }

    @Test("a name that another member takes over ends the first")
    func instances() throws {
        let cluster = try KafkaMockHandle()
        cluster.createTopic(topic, partitions: 8)
        let settings = KafkaSettings([
            "bootstrap.servers": cluster.bootstrap, "heartbeat.interval.ms": "200",
        ])
        let seat = try GroupSeat(settings, group: topic, topic: topic, instance: "worker-1")
        try turn([seat]) { seat.held.count == 8 }
        // FENCED_INSTANCE_ID
        cluster.fail(.heartbeat, with: [82])
        let failure = #expect(throws: KafkaFailure.self) {
            try turn([seat]) { false }
        }
        #expect(failure?.configurationKey == "group.instance.id")
        #expect(failure?.hint?.contains("its own") == true)
    }

    @Test("others can see that a group has members, and that they have left")
    func presence() throws {
        let (settings, _) = try GroupBroker.tansu.start(topic, partitions: 8)
        let admin = try KafkaAdmin(settings, timeout: .seconds(120))
        #expect(try admin.describeGroup(topic).members.isEmpty)
        let seat = try GroupSeat(settings, group: topic, topic: topic)
        try turn([seat]) { seat.held.count == 8 }
        #expect(try admin.describeGroup(topic).members.count == 1)
        #expect(seat.member.leave(.seconds(120)))
        #expect(try admin.describeGroup(topic).members.isEmpty)
    }
}
