internal import CKafka

/// One request to a cluster's brokers: options, a queue for the answer, and the answer.
internal final class AdminRequestHandle {
    internal let client: ClientHandle
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

    /// Throws the first error of an answer about topics.
    internal func check(
        _ results: UnsafeMutablePointer<OpaquePointer?>?,
        _ count: Int,
        _ what: String
    ) throws(KafkaFailure) {
        guard let results else { return }
        for index in 0..<count {
            let code = rd_kafka_topic_result_error(results[index])
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            let text = rd_kafka_topic_result_error_string(results[index])
            throw client.failure(code, text.map { String(cString: $0) }, doing: what)
        }
    }

    /// Throws the first error of an answer about groups.
    internal func checkGroups(
        _ results: UnsafeMutablePointer<OpaquePointer?>?,
        _ count: Int,
        _ what: String
    ) throws(KafkaFailure) {
        guard let results else { return }
        for index in 0..<count {
            if let error = rd_kafka_group_result_error(results[index]) {
                // The error belongs to the result and must not be freed.
                throw client.failure(
                    rd_kafka_error_code(error),
                    String(cString: rd_kafka_error_string(error)),
                    doing: what
                )
            }
            let partitions = rd_kafka_group_result_partitions(results[index])
            for entry in PartitionEntry.read(partitions)
            where entry.error != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw client.failure(entry.error, doing: "\(what), \(entry.partition),")
            }
        }
    }
}
