import ConnectorSDK
import JSONDocuments
import Topics

/// How far a group has come in each partition.
struct GroupReport {
    /// One partition; without an end when its topic does not exist any more.
    struct Place {
        var partition: TopicPartition
        var next: Int64
        var end: Int64?

        var lag: Int64? { end.map { max(0, $0 - next) } }
    }

    let name: String
    let places: [Place]

    init(_ name: String, in store: any TopicStore) throws {
        try self.init(name, store.groupOffsets(name), in: store)
    }

    init(
        _ name: String,
        _ offsets: [TopicPartition: Int64],
        in store: any TopicStore
    ) throws {
        self.name = name
        var counts: [String: Int32] = [:]
        places = try offsets.sorted { $0.key < $1.key }.map { place, next in
            let count = try counts[place.topic] ?? store.describe(place.topic)?.partitions ?? 0
            counts[place.topic] = count
            let end = place.partition < count ? try store.offsets(of: place).end : nil
            return Place(partition: place, next: next, end: end)
        }
    }

    var topics: [String] { Set(places.map(\.partition.topic)).sorted() }

    var lag: Int64 { places.reduce(0) { $0 + ($1.lag ?? 0) } }

    var summary: JSONDocument {
        [
            "group": .string(name), "topics": .array(topics.map { .string($0) }),
            "partitions": .int(Int64(places.count)), "lag": .int(lag),
        ]
    }

    var offsets: JSONDocument {
        .array(
            places.map { place in
                [
                    "topic": .string(place.partition.topic),
                    "partition": .int(Int64(place.partition.partition)),
                    "offset": .int(place.next), "end": .optional(place.end),
                    "lag": .optional(place.lag),
                ]
            }
        )
    }

    func document(_ membership: GroupMembership?) -> JSONDocument {
        let members = (membership?.members ?? []).map { member -> JSONDocument in
            [
                "id": .string(member.id), "client": .string(member.client),
                "host": .string(member.host),
                "partitions": .array(member.partitions.map { .string("\($0)") }),
            ]
        }
        return [
            "group": .string(name), "state": .optional(membership?.state),
            "offsets": offsets, "members": .array(members),
        ]
    }

    var table: TextTable {
        var table = TextTable([
            ("topic", .left), ("partition", .right), ("offset", .right), ("end", .right),
            ("lag", .right),
        ])
        for place in places {
            table.append([
                place.partition.topic, String(place.partition.partition),
                Quantity.count(place.next), place.end.map { Quantity.count($0) } ?? "-",
                place.lag.map { Quantity.count($0) } ?? "-",
            ])
        }
        return table
    }
}

extension GroupMembership {
    /// Writes the state and the members to standard output.
    func print() throws {
        try StandardOutput.printLine("\nstate: \(state)")
        guard !members.isEmpty else { return }
        var table = TextTable([("member", .left), ("host", .left), ("partitions", .left)])
        for member in members {
            table.append([
                member.client, member.host,
                member.partitions.map { "\($0)" }.joined(separator: ", "),
            ])
        }
        try table.print()
    }
}
