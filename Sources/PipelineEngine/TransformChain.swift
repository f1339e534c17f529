internal import ConnectorSDK
internal import Topics

/// A connector's transforms, in order, with the predicates that say what they apply to.
///
/// One instance serves one task.
final class TransformChain {
    private struct Step {
        var alias: String
        var name: String
        var transform: any Transform
        var selector: RowSelector?
        /// The transform, if it remembers something.
        var stateful: (any StatefulTransform)?
    }

    private let steps: [Step]
    // Kept for their memory.
    private var current: [RecordBatch] = []
    private var next: [RecordBatch] = []

    /// Whether records pass untouched.
    var isEmpty: Bool { steps.isEmpty }

    /// Whether a transform remembers something.
    let keepsState: Bool

    /// Makes the transforms that a configuration names.
    ///
    /// Those that wait ask `isStopping`; without it they never wait.
    init(
        _ configuration: Configuration,
        catalog: PluginCatalog,
        isStopping: @escaping @Sendable () -> Bool = { true }
    ) throws(ConnectorError) {
        var steps: [Step] = []
        for alias in try configuration.get(FrameworkKeys.transforms) {
            let prefix = "transforms.\(alias)."
            let type = configuration.values[prefix + "type"] ?? ""
            guard let plugin = catalog.transform(type) else {
                throw .invalid(prefix + "type", "There is no transform `\(type)`.")
            }
            let nested = configuration.nested(
                below: prefix,
                without: ["type", "negate"]
            )
            let selector = try Self.selector(prefix, configuration, catalog)
            do {
                let transform = try plugin.make(nested)
                if let pausing = transform as? any PausingTransform {
                    pausing.isStopping = isStopping
                }
                steps.append(
                    Step(
                        alias: alias,
                        name: type,
                        transform: transform,
                        selector: selector,
                        stateful: transform as? any StatefulTransform
                    )
                )
            } catch {
                throw error.nested(below: prefix)
            }
        }
        self.steps = steps
        keepsState = steps.contains { $0.stateful != nil }
    }

    private static func selector(
        _ prefix: String,
        _ configuration: Configuration,
        _ catalog: PluginCatalog
    ) throws(ConnectorError) -> RowSelector? {
        guard let alias = configuration.values[prefix + "predicate"] else { return nil }
        let predicatePrefix = "predicates.\(alias)."
        let type = configuration.values[predicatePrefix + "type"] ?? ""
        guard let plugin = catalog.predicate(type) else {
            throw .invalid(prefix + "predicate", "There is no predicate `\(type)` for `\(alias)`.")
        }
        let nested = configuration.nested(below: predicatePrefix, without: ["type"])
        let negate = try configuration.get(PluginKeys.negate(prefix))
        do {
            return RowSelector(try plugin.init(configuration: nested), negate: negate)
        } catch {
            throw error.nested(below: predicatePrefix)
        }
    }

    /// Applies the transforms; what they reject goes to `rejections`.
    ///
    /// The rows are numbered (`numberRows()`).
    ///
    /// - Returns: the batches to go on with, in order: usually `batch` itself. They are valid
    ///   until the next call, and as long as `batch`.
    func apply(
        _ batch: RecordBatch,
        rejections: inout [Rejection]
    ) throws(ConnectorError) -> [RecordBatch] {
        try apply(CollectionOfOne(batch), from: 0, &rejections)
    }

    private func apply(
        _ batches: some Collection<RecordBatch>,
        from first: Int,
        _ rejections: inout [Rejection]
    ) throws(ConnectorError) -> [RecordBatch] {
        current.removeAll(keepingCapacity: true)
        current.append(contentsOf: batches)
        let before = rejections.count
        for step in steps[first...] {
            next.removeAll(keepingCapacity: true)
            for batch in current {
                if let selector = step.selector {
                    next += try selector.apply(step.transform, to: batch)
                } else {
                    let parts = try step.transform.split(batch)
                    for part in parts { part.retain(batch) }
                    next += parts
                }
            }
            for batch in current { take(batch, step, &rejections) }
            for batch in next { take(batch, step, &rejections) }
            swap(&current, &next)
        }
        if rejections.count > before {
            RecordGroups.withdraw(from: current, &rejections, after: before)
        }
        return current
    }

    // MARK: What is known before

    /// Follows what is known of the records through all transforms; returns what these look for in
    /// vain.
    func trace(_ outline: inout RecordOutline) -> [RecordOutline.Miss] {
        var misses = outline.takeMisses()
        for step in steps {
            let before = outline
            step.transform.trace(&outline)
            misses += outline.takeMisses().map { miss in
                var miss = miss
                miss.key = "transforms.\(step.alias).\(miss.key)"
                return miss
            }
            // The others pass as they are.
            if step.selector != nil { outline.unite(with: before) }
        }
        return misses
    }

    // MARK: State

    /// Gives the transforms back what they remembered; called once, before any batch.
    func restore(_ states: [String: [StateEntry]]) throws(ConnectorError) {
        for step in steps {
            guard let stateful = step.stateful else { continue }
            do throws(ConnectorError) {
                try stateful.restore(states[step.alias] ?? [])
            } catch {
                throw error.nested(below: "transforms.\(step.alias).")
            }
        }
        let known = steps.filter { $0.stateful != nil }.map(\.alias)
        guard let other = states.keys.sorted().first(where: { !known.contains($0) }) else { return }
        throw ConnectorError(
            .init("engine.state_of_no_transform"),
            .failTask,
            "State is stored for the transform `\(other)`, which the connector does not have.",
            kind: .configuration,
            at: FrameworkKeys.transforms.declaration.name,
            hint: "Give the transform its name and place back, or forget the state with "
                + "`millrace offsets reset CONNECTOR`; `--state only` keeps the position."
        )
    }

    /// Says where the records come from that are to be transformed next.
    func begin(_ input: TransformInput) {
        for step in steps { step.stateful?.begin(input) }
    }

    /// Puts into a unit what the transforms remember from its records on. (D3)
    func takeChanges(of connector: String, into unit: inout CommitUnit) {
        for step in steps {
            guard let stateful = step.stateful else { continue }
            let changes = StateChanges(capacity: 4_096)
            stateful.takeChanges(changes)
            if changes.count > 0 { unit.states.append((connector, step.alias, changes)) }
        }
    }

    /// Lets transforms use their batches again, where nothing is stored.
    func forgetChanges() {
        for step in steps { step.stateful?.takeChanges(StateChanges()) }
    }

    /// What was passed over since the last call, for the log. (D6)
    func takePassedOver() -> [(transform: String, count: Int, reason: String)] {
        steps.compactMap { step in
            step.stateful?.takePassedOver().map { (step.alias, $0.count, $0.reason) }
        }
    }

    /// Calls `body` with the batches that are due without a record, transformed by what follows.
    func due(
        _ moment: DueMoment,
        rejections: inout [Rejection],
        _ body: (RecordBatch) throws(ConnectorError) -> Void
    ) throws(ConnectorError) {
        for (index, step) in steps.enumerated() {
            guard let batches = try step.stateful?.due(moment), !batches.isEmpty else { continue }
            for batch in try apply(batches, from: index + 1, &rejections) { try body(batch) }
        }
    }

    private func take(_ batch: RecordBatch, _ step: Step, _ rejections: inout [Rejection]) {
        for record in batch.takeRejections() {
            var rejection = Rejection(record, .transform, plugin: step.name)
            rejection.record.error = record.error.nested(below: "transforms.\(step.alias).")
            rejections.append(rejection)
        }
    }
}

extension RecordBatch {
    /// Numbers the rows, so that each is known again after others were taken out.
    func numberRows() {
        for row in indices { metadata(row).pointee.sequence = UInt32(truncatingIfNeeded: row) }
    }
}
