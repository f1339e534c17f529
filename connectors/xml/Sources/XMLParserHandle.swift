import CXMLShim
import ConnectorSDK

/// The C parser of one document.
///
/// Nobody else holds it, so it is one task's at a time, as its reader is.
final class XMLParserHandle {
    private let parser: OpaquePointer

    /// Why parsing ended.
    enum Failure {
        case malformed(String)
        case tooDeep
        case entity(String)
        case noMemory
    }

    init(_ settings: XMLSettings) throws(ConnectorError) {
        var options = mr_xml_options(
            max_depth: UInt32(settings.maxDepth),
            first_record_depth: UInt32(settings.recordPath.steps.count),
            last_record_depth: settings.recordPath.isAnchored
                ? UInt32(settings.recordPath.steps.count) : .max,
            max_text: settings.maxRecordBytes,
            keeps_prefixes: settings.namespaces == .prefix ? 1 : 0,
            is_utf8: settings.isUTF8 ? 1 : 0
        )
        guard let parser = mr_xml_create(&options) else { throw .xmlNoMemory }
        self.parser = parser
    }

    deinit { mr_xml_destroy(parser) }

    /// Parses the next bytes; `false` when the document has an error.
    func feed(_ bytes: UnsafeRawBufferPointer, isLast: Bool) -> Bool {
        mr_xml_feed(parser, bytes.baseAddress, bytes.count, isLast ? 1 : 0) == 0
    }

    /// The events not yet forgotten, and the text they point into, until the next call.
    var events: (list: UnsafeBufferPointer<mr_xml_event>, text: UnsafeRawPointer?) {
        var count = 0
        let start = mr_xml_events(parser, &count)
        return (
            UnsafeBufferPointer(start: start, count: count),
            UnsafeRawPointer(mr_xml_text(parser))
        )
    }

    /// Forgets the first events.
    func forget(_ count: Int) { mr_xml_forget(parser, count) }

    /// The bytes understood so far; `nil` when they are not counted as they arrived.
    var offset: Int64? {
        mr_xml_has_offsets(parser) != 0 ? mr_xml_offset(parser) : nil
    }

    /// What is wrong with the document, and where; `nil` while nothing is.
    var failure: (reason: Failure, line: Int, column: Int)? {
        guard let error = mr_xml_last_error(parser), error.pointee.kind != MR_XML_NO_ERROR else {
            return nil
        }
        let message = withUnsafeBytes(of: error.pointee.message) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        let reason: Failure =
            switch Int(error.pointee.kind) {
            case MR_XML_TOO_DEEP: .tooDeep
            case MR_XML_ENTITY: .entity(message)
            case MR_XML_NO_MEMORY: .noMemory
            default: .malformed(message)
            }
        return (reason, Int(error.pointee.line), Int(error.pointee.column))
    }
}
