public import ConnectorSDK
public import Topics

/// How far connectors have come, on the way from one store to another.
///
/// These are the offsets of groups, what an operator has set and no sink has taken over yet, which
/// dead letters were seen to, and the positions of sources.
public struct ConnectorPlaces: Sendable {
    /// For each group, the offset to be read next in each partition.
    public private(set) var groups: [String: [TopicPartition: Int64]] = [:]
    /// For each source, its parts and their positions.
    public private(set) var positions: [String: [String: String]] = [:]
    private let topics: Set<String>
    private let states: [String]

    /// Reads what a store keeps: of groups what belongs to these topics, and positions unless
    /// `sources` is false.
    public init(
        of store: any TopicStore,
        topics: Set<String>,
        sources: Bool
    ) throws(ConnectorError) {
        self.topics = topics
        for group in try store.groups() {
            let offsets = try store.groupOffsets(group).filter { topics.contains($0.key.topic) }
            if !offsets.isEmpty { groups[group] = offsets }
        }
        for name in sources ? try store.connectorsWithPositions() : [] {
            positions[name] = try store.positions(of: name)
        }
        let readers = groups.keys.filter { $0.hasPrefix(ConnectorPlan.group(of: "")) }
            .map { String($0.dropFirst(ConnectorPlan.group(of: "").count)) }
        states = sources ? Set(readers + positions.keys).sorted() : []
    }

    /// The offsets of a partition that are among what is moved.
    public func offsets(of partition: TopicPartition) -> [Int64] {
        groups.values.compactMap { $0[partition] }
            + Self.numbers(positions[HandledOffsets.positionName]?["\(partition)"] ?? "")
    }

    /// Notes what the offsets of a partition are in the other store.
    ///
    /// A sink may keep its offsets in its target, where those of this store are: it is told to go
    /// on at its group's.
    public mutating func translate(_ partition: TopicPartition, _ offsets: [Int64: Int64]) {
        for (group, places) in groups {
            guard let old = places[partition], let new = offsets[old], new != old else { continue }
            groups[group]?[partition] = new
            guard group.hasPrefix(ConnectorPlan.group(of: "")), !OffsetReset.isNote(group: group)
            else { continue }
            let note = OffsetReset.note(of: group)
            if places[partition] != nil, groups[note]?[partition] == nil {
                groups[note, default: [:]][partition] = new
            }
        }
        let name = HandledOffsets.positionName
        if let text = positions[name]?["\(partition)"] {
            positions[name]?["\(partition)"] = Self.replacing(text, offsets)
        }
    }

    /// Throws `copy.target` when a source has positions in the other store that are not these.
    public func checkPositions(in store: any TopicStore) throws(ConnectorError) {
        guard !positions.isEmpty else { return }
        let names = Set(try store.connectorsWithPositions())
        for (name, parts) in positions.sorted(by: { $0.key < $1.key })
        where names.contains(name) && name != HandledOffsets.positionName {
            let there = try store.positions(of: name)
            guard !there.isEmpty, there != parts else { continue }
            throw Self.conflict(
                "The source \(name) has other positions on the cluster than here",
                hint: "`millrace offsets reset \(name) --broker …` has the cluster forget them"
            )
        }
    }

    /// Throws `copy.target` when a group has offsets in the other store that are not these.
    public func checkGroups(in store: any TopicStore) throws(ConnectorError) {
        let names = Set(try store.groups())
        for (name, offsets) in groups.sorted(by: { $0.key < $1.key }) where names.contains(name) {
            let there = try store.groupOffsets(name).filter { topics.contains($0.key.topic) }
            for (partition, offset) in there.sorted(by: { $0.key < $1.key })
            where offsets[partition] != offset {
                let own = offsets[partition].map { "to \($0) of what was copied" } ?? "nothing"
                throw Self.conflict(
                    "The group \(name) has read \(partition) up to \(offset) on the cluster, and "
                        + "\(own) here",
                    hint: "`millrace groups delete \(name) --broker …` has the cluster forget them"
                )
            }
        }
    }

    /// Makes everything durable in the other store, all places in one commit.
    ///
    /// Before it comes what transforms remember, as `source` has it.
    ///
    /// - Returns: how many entries that were.
    public func commit(
        to target: any TopicStore,
        statesOf source: any TopicStore
    ) throws(ConnectorError) -> Int {
        let producer = try target.makeProducer()
        defer { producer.close() }
        var count = 0
        for connector in states {
            var unit = CommitUnit()
            for (transform, entries) in try source.transformStates(of: connector) {
                let changes = StateChanges()
                for entry in entries { changes.set(part: entry.part, entry.key, entry.value) }
                unit.states.append((connector, transform, changes))
                count += entries.count
            }
            guard !unit.states.isEmpty else { continue }
            _ = try producer.waitUntilDurable(through: producer.submit(unit), deadline: nil)
        }
        var unit = CommitUnit()
        for (connector, parts) in positions {
            for (part, offset) in parts {
                unit.positions.append((connector, SourcePosition(partition: part, offset: offset)))
            }
        }
        for (group, offsets) in groups {
            for (partition, offset) in offsets {
                unit.groupOffsets.append((group, partition, offset))
            }
        }
        guard !unit.positions.isEmpty || !unit.groupOffsets.isEmpty else { return count }
        // D3: all of them or none, so that no connector goes on where another does not.
        _ = try producer.waitUntilDurable(through: producer.submit(unit), deadline: nil)
        return count
    }

    private static func conflict(_ message: String, hint: String) -> ConnectorError {
        ConnectorError(
            .init("copy.target"),
            .failTask,
            message + ": pipelines have run there already.",
            kind: .configuration,
            hint: hint + ", and what has run there may come twice. Nothing was moved."
        )
    }

    // MARK: Dead letters

    /// The offsets in the text of a ``HandledOffsets``, which has no other numbers.
    private static func numbers(_ text: String) -> [Int64] {
        text.split { !"-0123456789".contains($0) }.compactMap { Int64($0) }
    }

    private static func replacing(_ text: String, _ offsets: [Int64: Int64]) -> String {
        var result = ""
        var digits = ""
        for character in text + " " {
            if "-0123456789".contains(character) {
                digits.append(character)
                continue
            }
            if let number = Int64(digits) { result += "\(offsets[number] ?? number)" }
            digits = ""
            result.append(character)
        }
        result.removeLast()
        return result
    }
}
