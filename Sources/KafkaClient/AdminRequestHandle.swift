internal import CKafka

/// One request to a cluster's brokers: options, a queue for the answer, and the answer.
internal final class AdminRequestHandle {
    private let client: ClientHandle
    internal let options: OpaquePointer?
    internal let queue: OpaquePointer?
    private var event: OpaquePointer?

    internal init(_ client: ClientHandle, _ kind: rd_kafka_admin_op_t, _ timeout: Duration) {
        self.client = client
        options = rd_kafka_AdminOptions_new(client.pointer, kind)
        queue = rd_kafka_queue_new(client.pointer)
        var text = [CChar](repeating: 0, count: 256)
        _ = rd_kafka_AdminOptions_set_request_timeout(
            options,
            timeout.milliseconds,
            &text,
            text.count
        )
        // Only for requests that wait for all brokers to know of a change; others refuse it.
        switch kind {
        case RD_KAFKA_ADMIN_OP_CREATETOPICS, RD_KAFKA_ADMIN_OP_DELETETOPICS,
            RD_KAFKA_ADMIN_OP_CREATEPARTITIONS:
            _ = rd_kafka_AdminOptions_set_operation_timeout(
                options,
                timeout.milliseconds,
                &text,
                text.count
            )
        default: break
        }
    }

    deinit {
        if let event { rd_kafka_event_destroy(event) }
        rd_kafka_AdminOptions_destroy(options)
        rd_kafka_queue_destroy(queue)
    }

    /// Waits for the answer, which lives as long as this object.
    internal func answer(to what: String) throws(KafkaFailure) -> OpaquePointer {
        var event: OpaquePointer?
        // The request has a time limit of its own, so an answer always comes.
        while event == nil {
            event = rd_kafka_queue_poll(queue, ClientHandle.slice.milliseconds)
            if event == nil, client.isInterrupted { break }
        }
        guard let event else { throw client.failure(.timedOut, doing: what) }
        self.event = event
        let code = rd_kafka_event_error(event)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let text = rd_kafka_event_error_string(event).map { String(cString: $0) }
            throw client.failure(code, text, doing: what)
        }
        client.events.forgetError()
        return event
    }

    /// Asks about one thing and waits; the results live as long as this object.
    internal func results(
        of operation: AdminOperation,
        about subject: OpaquePointer?,
        doing what: String
    ) throws(KafkaFailure) -> [OpaquePointer?] {
        var subject = subject
        operation.send(client.pointer, &subject, 1, options, queue)
        var count = 0
        let list = operation.results(operation.result(try answer(to: what)), &count)
        return (0..<count).map { list?[$0] }
    }
}

extension AdminOperation {
    internal typealias List = UnsafeMutablePointer<OpaquePointer?>
    internal typealias Send =
        (OpaquePointer?, List?, Int, OpaquePointer?, OpaquePointer?) -> Void
    internal typealias Result = (OpaquePointer?) -> OpaquePointer?
    internal typealias Results = (OpaquePointer?, UnsafeMutablePointer<Int>?) -> List?
}

extension KafkaAdmin {
    /// Has something done with a topic, and throws the error of the answer.
    internal func requestTopic(
        _ operation: AdminOperation,
        about subject: OpaquePointer?,
        doing what: String
    ) throws(KafkaFailure) {
        let request = AdminRequestHandle(client, operation.kind, timeout)
        for result in try request.results(of: operation, about: subject, doing: what) {
            let code = rd_kafka_topic_result_error(result)
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            let text = rd_kafka_topic_result_error_string(result)
            throw client.failure(code, text.map { String(cString: $0) }, doing: what)
        }
    }

    /// Asks about the settings of a topic, and gives those of the answer to `body`.
    internal func requestSettings(
        _ operation: AdminOperation,
        about subject: OpaquePointer?,
        doing what: String,
        _ body: (OpaquePointer?) -> Void = { _ in }
    ) throws(KafkaFailure) {
        let request = AdminRequestHandle(client, operation.kind, timeout)
        for resource in try request.results(of: operation, about: subject, doing: what) {
            let code = rd_kafka_ConfigResource_error(resource)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                let text = rd_kafka_ConfigResource_error_string(resource)
                throw client.failure(code, text.map { String(cString: $0) }, doing: what)
            }
            body(resource)
        }
    }

    /// Asks about a group, and returns the partitions of the answer; throws its first error.
    @discardableResult
    internal func requestGroup(
        _ operation: AdminOperation,
        about subject: OpaquePointer?,
        doing what: String
    ) throws(KafkaFailure) -> [PartitionEntry] {
        let request = AdminRequestHandle(client, operation.kind, timeout)
        var entries: [PartitionEntry] = []
        for result in try request.results(of: operation, about: subject, doing: what) {
            if let error = rd_kafka_group_result_error(result) {
                // The error belongs to the result and must not be freed.
                throw client.failure(
                    rd_kafka_error_code(error),
                    String(cString: rd_kafka_error_string(error)),
                    doing: what
                )
            }
            for entry in PartitionEntry.read(rd_kafka_group_result_partitions(result)) {
                guard entry.error == RD_KAFKA_RESP_ERR_NO_ERROR else {
                    throw client.failure(entry.error, doing: "\(what), \(entry.partition),")
                }
                entries.append(entry)
            }
        }
        return entries
    }
}
