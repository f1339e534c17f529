internal import ConnectorSDK

/// A rejected record with what the engine knows of the rejection.
struct Rejection {
    /// The record, and why.
    var record: RejectedRecord
    /// Where on its way it was.
    var stage: RecordStage
    /// The plug-in that rejected it.
    var plugin: String
    /// The key as a topic holds it, where it is known.
    var key: [UInt8]?
    /// Whether the value is as the value converter writes it, since the source read fields rather
    /// than text.
    var isConverted = false
    /// What else is needed to read the value again by itself.
    var recordContext: String?

    init(_ record: RejectedRecord, _ stage: RecordStage, plugin: String) {
        self.record = record
        self.stage = stage
        self.plugin = plugin
    }

    /// Where the record is, for a person; holds nothing of the record itself.
    var place: String {
        if record.partition >= 0 {
            return "\(record.topic), partition \(record.partition), offset \(record.offset)"
        }
        var parts: [String] = []
        if let origin = record.origin { parts.append(origin) }
        if record.line > 0 { parts.append("line \(record.line)") }
        if record.offset >= 0 { parts.append("byte \(record.offset)") }
        if parts.isEmpty { parts.append("a record for topic \(record.topic)") }
        return parts.joined(separator: ", ")
    }

    /// Where in its source the record stood, as far as that is known of it.
    fileprivate var byte: Int64? { record.offset >= 0 ? record.offset : nil }
    fileprivate var line: Int64? { record.line > 0 ? record.line : nil }
    fileprivate var row: Int64? { record.row >= 0 ? Int64(record.sequence) : nil }

    /// The error that fails a task which does not tolerate rejected records. (D6)
    var failure: ConnectorError {
        let reason = record.error
        return ConnectorError(
            reason.code,
            .failTask,
            "\(place): rejected in \(stage.rawValue) by \(plugin): \(reason.message)",
            kind: reason.kind,
            at: reason.configurationKey,
            hint: (reason.hint.map { $0 + " " } ?? "")
                + "To put such records into a dead letter topic and go on, set "
                + "`errors.tolerance: all` and `errors.deadletterqueue.topic.name`.",
            underlying: reason.underlying
        )
    }
}

extension [Rejection] {
    /// The rejections of one batch as its records followed each other, so that they are put back in
    /// that order; they come step by step, those of the reader first. (D5)
    func inOrderOfSource() -> [Rejection] {
        guard count > 1 else { return self }
        for place in [\Rejection.byte, \.line, \.row] {
            let places = compactMap { $0[keyPath: place] }
            guard places.count == count else { continue }
            return zip(places, indices).sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map { self[$0.1] }
        }
        return self
    }
}
