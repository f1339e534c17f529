internal import ConnectorSDK
internal import Logging
internal import Topics

/// One task of a connector, with its restarts.
struct ConnectorTask: Sendable {
    /// How one attempt ended, when it did not throw.
    enum Outcome: Sendable {
        /// The connector came to its end, or was told to stop.
        case ended
        /// The sink's partitions changed; begin again with the new ones.
        case reassigned
    }

    private(set) var environment: TaskEnvironment

    /// Which of all tasks it is.
    var id: TaskID { TaskID(environment.plan.name, environment.id) }

    /// The same task for as long as a lease is not ended.
    func leased(_ lease: TaskLease) -> ConnectorTask {
        var task = self
        task.environment.control = TaskControl(environment.control.run, lease)
        return task
    }

    private var control: TaskControl { environment.control }
    private var status: TaskStatus { environment.status }
    private var logger: Logger { environment.logger }

    /// Runs until the connector ends, the run stops, or an error needs an operator.
    func run() async {
        var (state, error) = await attempts()
        if state == .stopped, control.lease != nil, !control.run.isStopping { state = .unassigned }
        status.ended(state, error: error)
        switch error {
        case nil:
            logger.debug("connector task ended", metadata: ["state": "\(state.rawValue)"])
        case let error?:
            environment.options.report(error, of: environment.plan.name, to: logger)
        }
        control.taskEnded(of: environment.plan.name)
    }

    private func attempts() async -> (ConnectorState, ConnectorError?) {
        var retry = environment.plan.errors.makeRetryPolicy()
        var progress = status.snapshot.progress
        while true {
            status.started()
            do throws(ConnectorError) {
                if try await attempt() == .reassigned { continue }
                return (control.isStopping ? .stopped : .done, nil)
            } catch {
                // D8: whatever a connector says goes through here before anybody sees it.
                let error = environment.plan.secrets.redact(error)
                let reached = status.snapshot.progress
                if reached != progress { retry.progressed() }
                progress = reached
                if let end = ending(after: error) { return end }
                // A source makes it again, and goes on.
                if error.code == .topicUnknown { environment.provisioner.forgetTopics() }
                guard wait(after: error, &retry) else {
                    return control.isStopping ? (.stopped, nil) : (.failed, error)
                }
            }
        }
    }

    /// Each attempt has a fresh connector, which begins at the last durable positions. (D2)
    private func attempt() async throws(ConnectorError) -> Outcome {
        switch environment.plan.definition.kind {
        case .source: try await SourceTask(environment).run()
        case .sink: try await SinkTask(environment).run()
        }
    }

    /// How an error that is not to be retried ends the task.
    private func ending(after error: ConnectorError) -> (ConnectorState, ConnectorError?)? {
        if error.code == .cancelled, control.isStopping { return (.stopped, nil) }
        // Whatever it met, the next owner sees to it.
        if control.isLost { return (.stopped, nil) }
        if control.lease != nil, error.code == .fenced {
            return control.isStopping ? (.stopped, nil) : nil
        }
        if error.code == .readerGone {
            logger.info("the reader of the output is gone; the run stops")
            control.stop(drainTimeout: environment.options.drainTimeout)
            return (.stopped, nil)
        }
        guard case .retry = error.disposition else { return (.failed, error) }
        guard control.isStopping else { return nil }
        logger.warning("stopped while recovering", metadata: Self.metadata(of: error))
        return (.stopped, nil)
    }

    /// How long a shared task that was fenced waits to be withdrawn.
    ///
    /// Most often another process has it now, and word of that is on its way here. But one that
    /// has lost the task may have begun it late, and fenced its owner: then the owner, which is not
    /// told to end, begins it again.
    private static let fencedDelay = Duration.seconds(3)

    /// Waits as long as the policy says; returns whether to try again.
    private func wait(after error: ConnectorError, _ retry: inout RetryPolicy) -> Bool {
        var requested: Duration?
        if case .retry(let delay) = error.disposition { requested = delay }
        var decision = retry.failed(
            at: .now,
            requested: requested,
            jitter: Double.random(in: 0..<1)
        )
        if error.code == .fenced { decision = .retry(after: Self.fencedDelay) }
        guard case .retry(let delay) = decision else { return false }
        status.restarting(after: error)
        var metadata = Self.metadata(of: error)
        metadata["delay"] = "\(Int64(delay / .milliseconds(1))) ms"
        logger.warning("connector task restarts", metadata: metadata)
        let end = ContinuousClock.now + delay
        while !control.isStopping {
            let rest = end - .now
            guard rest > .zero else { return true }
            // The task has its thread to itself and may block it.
            environment.signal.wait(timeout: rest)
        }
        return false
    }

    private static func metadata(of error: ConnectorError) -> Logger.Metadata {
        ["code": "\(error.code.rawValue)", "error": "\(error.description)"]
    }
}
