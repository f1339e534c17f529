internal import ConnectorSDK
internal import RecordTemplates

/// Finds the name of the topic that a batch goes to.
internal struct TargetName {
    private var renderer: TemplateRenderer
    private var last: (bytes: [UInt8], name: String) = ([], "")

    internal init(_ template: RecordTemplate) {
        renderer = TemplateRenderer(template, .verbatim)
    }

    internal mutating func name(for batch: RecordBatch) -> String {
        renderer.render(batch, row: 0)
        if renderer.bytes != last.bytes {
            last = (renderer.bytes, String(decoding: renderer.bytes, as: UTF8.self))
        }
        return last.name
    }
}
