internal import ConnectorSDK
internal import JSONRecords

/// Events that are no changes of rows. They are rare, so they take their time.
extension ChangeStream {
    /// Appends that all rows of a table were removed at once, unless `skipped.operations` says not
    /// to tell.
    public func appendTruncation(of table: CapturedTable, at position: UInt64) {
        guard transaction != nil else { return }
        counter.changes &+= 1
        guard settings.tellsTruncations else { return }
        note(table)
        counter.events &+= 1
        counter.records &+= 1
        table.events &+= 1
        guard counter.isResumed else { return }
        let rows = RecordText.Rows(before: nil, after: nil, given: (nil, nil))
        let batch = batch(of: table)
        do throws(ConnectorError) {
            noteRecord(
                bytes: try text.append(
                    rows,
                    UInt8(ascii: "t"),
                    table,
                    at: position,
                    counter,
                    to: batch
                )
            )
        } catch {
            batch.reject(RejectedRecord(error: error, topic: table.topic, value: []))
        }
    }

    /// Appends a message that somebody wrote into the database's log, to `<prefix>.message`.
    ///
    /// - Parameters:
    ///   - prefix: what kind of message it is, in UTF-8.
    ///   - content: the message.
    ///   - moment: the transaction, or what is known about the time of a message outside of one.
    ///   - position: its place in the log.
    public func appendMessage(
        prefix: String,
        content: UnsafeRawBufferPointer,
        at moment: CapturedTransaction,
        position: UInt64
    ) {
        let isInTransaction = transaction != nil
        if isInTransaction {
            counter.changes &+= 1
            noteBeginning()
            counter.events &+= 1
            counter.records &+= 1
            guard counter.isResumed else { return }
        }
        let batch = eventBatch(settings.topic(["message"]), EventSchemas.message(envelope))
        batch.addKeys(EventSchemas.messageKey)
        let row = batch.appendRow()
        let cells = batch.row(row)
        cells[0] = .slice(.json, batch.copy(envelope.source(moment, position)))
        cells[1] = .null
        cells[2] = batch.makeCell(.string("m"))
        cells[3] = .int(text.now)
        let message = OutputBuffer(capacity: content.count * 2 + 64)
        message.append(#"{"prefix":"#)
        JSONText.appendString(prefix, to: message)
        message.append(#","content":"#)
        JSONText.appendCell(.slice(.bytes, content), to: message)
        message.append("}")
        cells[4] = .slice(.json, batch.copy(message))
        batch.keyRow(row)?[0] = batch.makeCell(.string(prefix))
        if isInTransaction {
            let mark = OutputBuffer(capacity: 64)
            let value = "\(moment.sequence):\(counter.records)"
            HeaderWriter.append("\(CapturedChangeHeader.transaction)", value, to: mark)
            batch.metadata(row).pointee.headers = batch.copy(mark)
            batch.metadata(row).pointee.headerCount = 1
        }
        noteRecord(bytes: message.count)
    }

    /// Appends a sign of life.
    public func appendHeartbeat() {
        text.refreshClock()
        let batch = eventBatch(settings.heartbeatTopic, EventSchemas.heartbeat)
        batch.addKeys(EventSchemas.heartbeatKey)
        let row = batch.appendRow()
        batch[row, 0] = .int(text.now)
        batch.keyRow(row)?[0] = batch.makeCell(.string(settings.prefix))
        noteRecord(bytes: 32)
    }

    private func eventBatch(_ topic: String, _ schema: Schema) -> RecordBatch {
        let batch = outlet.makeBatch(topic: topic, schema: schema)
        pending.append(batch)
        return batch
    }
}

/// The schemas of events that are no changes of rows.
private enum EventSchemas {
    static let heartbeat = Schema([Field("ts_ms", .int64)])
    static let heartbeatKey = Schema([Field("serverName", .string)])
    static let messageKey = Schema([Field("prefix", .string)])

    static func message(_ envelope: Envelope) -> Schema {
        Schema(
            envelope.fields + [
                Field("message", .object([Field("prefix", .string), Field("content", .bytes)]))
            ]
        )
    }
}

extension Envelope {
    /// A whole `source`, for an event that belongs to no table.
    fileprivate func source(_ moment: CapturedTransaction, _ position: UInt64) -> OutputBuffer {
        let output = OutputBuffer(capacity: 512)
        let text = sourceText(namespace: nil, table: nil)
        output.append(String(text.dropFirst(Self.sourceName.utf8CodeUnitCount)))
        appendMoment(moment, snapshot: "false", to: output)
        output.append("\(position)")
        if let between = betweenPositions {
            output.append(between)
            output.append("\(position)")
        }
        output.append("}")
        return output
    }
}
