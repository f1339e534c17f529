internal import ConnectorSDK
internal import Logging
internal import Topics

/// Decides what becomes of rejected records: dead letters, or the end of the task.
///
/// One instance serves one task.
final class RejectionHandler {
    private let plan: ConnectorPlan
    private let taskID: Int
    private let logger: Logger
    private var breaker: RejectionBreaker
    private var seen: Int64 = 0

    init(_ plan: ConnectorPlan, taskID: Int, logger: Logger) {
        self.plan = plan
        self.taskID = taskID
        self.logger = logger
        breaker = plan.errors.makeBreaker()
    }

    /// Counts a batch of `records` in all, of which `rejections` were rejected.
    ///
    /// - Throws: the error that fails the task: a rejection that is not tolerated, or too many.
    func admit(_ rejections: [Rejection], of records: Int) throws(ConnectorError) {
        defer { seen += Int64(records) }
        guard let first = rejections.first else { return }
        // D6: what is not delivered and not a dead letter stops the task.
        guard plan.errors.tolerates else { throw first.failure }
        for (index, rejection) in rejections.enumerated() {
            if plan.errors.logsRejections { log(rejection) }
            // Where in the batch they stood is not always known; their density is.
            let number = seen + Int64(index * records / rejections.count)
            if breaker.rejected(record: number) { throw tooMany(rejection) }
        }
    }

    /// Encodes dead letters into `target`.
    func append(
        _ rejections: [Rejection],
        to target: TopicTarget,
        unit: inout CommitUnit
    ) throws(ConnectorError) {
        for rejection in rejections {
            do throws(ConnectorError) {
                try append(rejection, to: target, unit: &unit)
            } catch {
                guard error.disposition == .rejectRecord else { throw error }
                // D6: it can be neither delivered nor kept, so the task stops.
                var failure = rejection.failure
                failure.message +=
                    " It cannot be put into the dead letter topic either: "
                    + error.message
                throw failure
            }
        }
        try target.finishAll(into: &unit)
    }

    private func append(
        _ rejection: Rejection,
        to target: TopicTarget,
        unit: inout CommitUnit
    ) throws(ConnectorError) {
        let record = rejection.record
        var headers = record.headers
        var count = record.headerCount
        if plan.errors.hasContextHeaders {
            let context = DeadLetterContext(rejection, by: plan, taskID: taskID)
            for header in context.headers {
                RecordHeaders.append(header.key, header.value, to: &headers)
                count += 1
            }
        }
        let headerBytes = Chunk(copying: headers), value = Chunk(copying: record.value)
        let key = rejection.key.map { Chunk(copying: $0) }
        var metadata = RecordMetadata()
        metadata.timestamp = record.timestamp
        metadata.headers = UnsafeRawBufferPointer(headerBytes.bytes)
        metadata.headerCount = UInt32(count)
        // D5: records of one partition stay together and in order.
        metadata.partition = max(0, record.partition) % target.topic.partitions
        try target.append(
            metadata,
            key: key.map { UnsafeRawBufferPointer($0.bytes) },
            value: record.isTombstone ? nil : UnsafeRawBufferPointer(value.bytes),
            to: &unit
        )
        // The addresses above are of these objects' memory.
        withExtendedLifetime((headerBytes, value, key)) {}
    }

    private func log(_ rejection: Rejection) {
        logger.warning(
            "record rejected",
            metadata: [
                "place": "\(rejection.place)",
                "stage": "\(rejection.stage.rawValue)",
                "code": "\(rejection.record.error.code.rawValue)",
                "reason": "\(plan.secrets.redact(rejection.record.error.message))",
            ]
        )
    }

    private func tooMany(_ last: Rejection) -> ConnectorError {
        let limit = plan.errors.breakerLimit, window = plan.errors.breakerWindow
        return ConnectorError(
            .init("engine.too_many_rejected"),
            .failTask,
            "More than \(limit) of the last \(window) records were rejected. The last one: "
                + "\(last.place): \(last.record.error.message)",
            at: FrameworkKeys.breakerRejected.declaration.name,
            hint: "Correct what rejects them, or raise "
                + "`errors.deadletterqueue.breaker.rejected`; 0 turns the limit off."
        )
    }
}
