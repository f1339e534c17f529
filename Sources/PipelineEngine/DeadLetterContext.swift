internal import ConnectorSDK

/// Where a dead letter came from and why it is one: its `__connect.errors.` headers, decoded.
public struct DeadLetterContext: Sendable, Equatable {
    /// The topic the record came from, or was going to.
    public var topic: String?
    /// The partition it came from; `nil` when it came from a source.
    public var partition: Int32?
    /// Its offset in the partition.
    public var offset: Int64?
    /// The connector that rejected it.
    public var connector: String?
    /// The task.
    public var taskID: Int?
    /// Where on its way it was, in Kafka Connect's words, such as `VALUE_CONVERTER`.
    public var stage: String?
    /// The plug-in that rejected it.
    public var plugin: String?
    /// The error's code.
    public var code: String?
    /// The error's message.
    public var message: String?
    /// The file or table it was read from.
    public var file: String?
    /// The line or row there, from 1.
    public var line: Int64?
    /// The byte there.
    public var byte: Int64?
    /// The pipeline file that configures the connector.
    public var pipelineFile: String?
    /// What else is needed to read the value again by itself, such as CSV's columns.
    public var recordContext: String?
    /// Whether the value is as the value converter writes it; otherwise it is the text that the
    /// source read, or what its topic holds.
    public var isConverted = false
    /// Whether the value is only the record's beginning, or none of it.
    public var isCut = false

    /// Makes an empty context.
    public init() {}

    /// The names that begin so are the context's.
    static let prefixes = ["__connect.errors.", "millrace.errors."]

    static func isContext(_ header: String) -> Bool {
        prefixes.contains { header.hasPrefix($0) }
    }

    /// Reads a context from headers, and returns the other headers.
    static func split(
        _ headers: [(key: String, value: [UInt8]?)]
    ) -> (context: DeadLetterContext, rest: [(key: String, value: [UInt8]?)]) {
        var context = DeadLetterContext()
        var rest: [(key: String, value: [UInt8]?)] = []
        for header in headers {
            guard isContext(header.key) else {
                rest.append(header)
                continue
            }
            context.take(header.key, String(decoding: header.value ?? [], as: UTF8.self))
        }
        return (context, rest)
    }

    private mutating func take(_ name: String, _ text: String) {
        switch name {
        case "__connect.errors.topic": topic = text
        case "__connect.errors.partition": partition = Int32(text)
        case "__connect.errors.offset": offset = Int64(text)
        case "__connect.errors.connector.name": connector = text
        case "__connect.errors.task.id": taskID = Int(text)
        case "__connect.errors.stage": stage = text
        case "__connect.errors.class.name": plugin = text
        case "__connect.errors.exception.class.name": code = text
        case "__connect.errors.exception.message": message = text
        case "millrace.errors.file": file = text
        case "millrace.errors.line": line = Int64(text)
        case "millrace.errors.byte": byte = Int64(text)
        case "millrace.errors.pipeline.file": pipelineFile = text
        case "millrace.errors.record.context": recordContext = text
        case "millrace.errors.value.converted": isConverted = text == "true"
        case "millrace.errors.value.cut": isCut = text == "true"
        default: break
        }
    }

    /// The headers, in a fixed order.
    var headers: [(key: String, value: String)] {
        let all: [(String, String?)] = [
            ("__connect.errors.topic", topic),
            ("__connect.errors.partition", partition.map { String($0) }),
            ("__connect.errors.offset", offset.map { String($0) }),
            ("__connect.errors.connector.name", connector),
            ("__connect.errors.task.id", taskID.map { String($0) }),
            ("__connect.errors.stage", stage),
            ("__connect.errors.class.name", plugin),
            ("__connect.errors.exception.class.name", code),
            ("__connect.errors.exception.message", message),
            ("millrace.errors.file", file),
            ("millrace.errors.line", line.map { String($0) }),
            ("millrace.errors.byte", byte.map { String($0) }),
            ("millrace.errors.pipeline.file", pipelineFile),
            ("millrace.errors.record.context", recordContext),
            ("millrace.errors.value.converted", isConverted ? "true" : nil),
            ("millrace.errors.value.cut", isCut ? "true" : nil),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}

extension DeadLetterContext {
    /// Describes a rejection.
    init(_ rejection: Rejection, by plan: ConnectorPlan, taskID: Int) {
        let record = rejection.record
        self.init()
        topic = record.topic
        connector = plan.name
        self.taskID = taskID
        stage = rejection.stage.rawValue
        plugin = rejection.plugin
        code = record.error.code.rawValue
        // D8: what a connector says of a failure may repeat what it was given.
        message = plan.secrets.redact(record.error.message)
        if record.partition >= 0 {
            partition = record.partition
            offset = record.offset
        } else {
            file = record.origin
            line = record.line > 0 ? record.line : nil
            byte = record.offset >= 0 ? record.offset : nil
            // Reading it again takes the source's configuration as it then is.
            pipelineFile = plan.pipelineFile
            recordContext = rejection.recordContext
            isConverted = rejection.isConverted
            isCut = record.isCut
        }
    }
}
