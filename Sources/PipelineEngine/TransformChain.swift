internal import ConnectorSDK

/// A connector's transforms, in order, with the predicates that say what they apply to.
///
/// One instance serves one task.
final class TransformChain {
    private struct Step {
        var name: String
        var transform: any Transform
        var selector: RowSelector?
    }

    private var steps: [Step] = []
    // Kept for their memory.
    private var current: [RecordBatch] = []
    private var next: [RecordBatch] = []

    /// Whether records pass untouched.
    var isEmpty: Bool { steps.isEmpty }

    /// Makes the transforms that a configuration names.
    ///
    /// Those that wait ask `isStopping`; without it they never wait.
    init(
        _ configuration: Configuration,
        catalog: PluginCatalog,
        isStopping: @escaping @Sendable () -> Bool = { true }
    ) throws(ConnectorError) {
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
                let transform = try plugin.init(configuration: nested)
                if let pausing = transform as? any PausingTransform {
                    pausing.isStopping = isStopping
                }
                steps.append(Step(name: type, transform: transform, selector: selector))
            } catch {
                throw error.nested(below: prefix)
            }
        }
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
        current.removeAll(keepingCapacity: true)
        current.append(batch)
        let before = rejections.count
        for step in steps {
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

    private func take(_ batch: RecordBatch, _ step: Step, _ rejections: inout [Rejection]) {
        for record in batch.takeRejections() {
            rejections.append(Rejection(record, .transform, plugin: step.name))
        }
    }
}

extension RecordBatch {
    /// Numbers the rows, so that each is known again after others were taken out.
    func numberRows() {
        for row in indices { metadata(row).pointee.sequence = UInt32(truncatingIfNeeded: row) }
    }
}
