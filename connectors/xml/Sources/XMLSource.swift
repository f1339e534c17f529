import CXMLShim
import ConnectorSDK

/// Where the values of events are: the input's window, and the parser's text, while events are
/// taken.
struct XMLSource {
    /// Whether places in the document are offsets in the input.
    let hasOffsets: Bool
    private let window: UnsafeRawBufferPointer
    private let offset: Int64
    private let text: UnsafeRawPointer

    init(_ input: ByteInput, hasOffsets: Bool, text: UnsafeRawPointer?) {
        self.hasOffsets = hasOffsets
        window = input.window
        offset = input.offset
        // Without any text there are no bytes of it either.
        self.text = text ?? UnsafeRawPointer(input.chunk.base)
    }

    /// The bytes at a place as they arrived; none when the window does not hold all of them.
    @inline(__always)
    func bytes(from place: Int64, count: Int) -> UnsafeRawBufferPointer {
        let at = Int(truncatingIfNeeded: place &- offset)
        guard hasOffsets, at >= 0, count <= window.count &- at, let start = window.baseAddress
        else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: start + at, count: count)
    }

    /// A value, in memory that lasts until the next event is asked for.
    @inline(__always)
    func value(_ event: mr_xml_event) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text + event.text, count: Int(event.length))
    }

    /// A value in the window, which the batch keeps; `nil` when it is not there as it is.
    @inline(__always)
    func windowValue(_ event: mr_xml_event) -> UnsafeRawBufferPointer? {
        // `MR_XML_NOWHERE` is -1, which is before every window.
        let at = Int(truncatingIfNeeded: event.place &- offset)
        let count = Int(event.length)
        guard hasOffsets, at >= 0, count <= window.count &- at, let start = window.baseAddress
        else {
            return nil
        }
        return UnsafeRawBufferPointer(start: start + at, count: count)
    }
}
