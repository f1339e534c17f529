import KafkaWorkers
import Topics

/// Which topics of a cluster are Millrace's own: nobody asks for them when they ask for topics.
///
/// A cluster may hold those of several installations, whose names are not known; they are told by
/// their names and shapes, all of a kind together.
struct InternalTopics {
    /// The names of clusters of workers.
    private(set) var clusters: Set<String> = []
    private(set) var names: Set<String> = []

    init(among topics: [TopicDescription]) {
        let found = Dictionary(topics.map { ($0.name, $0) }) { first, _ in first }
        let partitions = found.mapValues(\.partitions)
        for cluster in Self.beginnings(of: topics, before: "-workers")
        where WorkerGroup.isCluster(cluster, partitions) {
            clusters.insert(cluster)
            names.formUnion(WorkerGroup.topics(of: cluster))
        }
        for store in Self.beginnings(of: topics, before: "-offsets") {
            let own = ["\(store)-offsets", "\(store)-states", "\(store)-schemas"]
            let shapes = own.map { found[$0].map { ($0.partitions, $0.settings.cleanupPolicy) } }
            guard let offsets = shapes[0], let states = shapes[1], let schemas = shapes[2],
                offsets == (25, .compact), states == (25, .compact), schemas == (1, .delete)
            else { continue }
            names.formUnion(own)
        }
    }

    private static func beginnings(of topics: [TopicDescription], before ending: String) -> [String]
    {
        topics.map(\.name).filter { $0.hasSuffix(ending) }.map { String($0.dropLast(ending.count)) }
    }
}
