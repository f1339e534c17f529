import ConnectorSDK
import JSONDocuments
import JSONRecords
import PipelineEngine

extension DeadLetter {
    /// The letter as `dlq show --json` prints it.
    var document: JSONDocument {
        let printer = RecordPrinter(asJSON: true)
        let own = headers.map { header -> JSONDocument in
            ["key": .string(header.key), "value": printer.value(header.value)]
        }
        return [
            "partition": .int(Int64(place.partition)), "offset": .int(offset),
            "timestamp": .int(timestamp), "key": printer.value(key), "value": printer.value(value),
            "headers": .array(own), "context": context.document,
        ]
    }

    /// The letter for people.
    var lines: [String] {
        let printer = RecordPrinter(asJSON: true)
        var lines = ["\(place), offset \(offset)  \(TimeText.text(milliseconds: timestamp))"]
        let error = context.message ?? "(no context: its headers were turned off)"
        lines.append("  error   \(error)" + (context.code.map { " [\($0)]" } ?? ""))
        let stage = context.stage.map { " at \($0)" } ?? ""
        let plugin = context.plugin.map { " (\($0))" } ?? ""
        lines.append("  by      \(context.connector ?? "?")\(stage)\(plugin)")
        lines.append("  from    \(context.origin)")
        if let key { lines.append("  key     \(printer.value(key).text)") }
        let remark = context.isCut ? "  (only its beginning)" : ""
        lines.append("  value   \(printer.value(value).text)\(remark)")
        return lines
    }
}

extension DeadLetterContext {
    var document: JSONDocument {
        [
            "connector": .optional(connector), "task": .optional(taskID.map { Int64($0) }),
            "stage": .optional(stage), "plugin": .optional(plugin), "code": .optional(code),
            "message": .optional(message), "topic": .optional(topic),
            "partition": .optional(partition.map { Int64($0) }), "offset": .optional(offset),
            "file": .optional(file), "line": .optional(line), "byte": .optional(byte),
            "pipelineFile": .optional(pipelineFile), "cut": .bool(isCut),
        ]
    }

    /// Where the record was when it was rejected.
    fileprivate var origin: String {
        if let partition, let offset { return "\(topic ?? "?")-\(partition), offset \(offset)" }
        guard let file else { return "on its way to \(topic ?? "?")" }
        let place = (line.map { ":\($0)" } ?? "") + (byte.map { ", byte \($0)" } ?? "")
        return "\(file)\(place), on its way to \(topic ?? "?")"
    }
}
