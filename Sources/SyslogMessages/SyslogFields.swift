internal import CBytes
public import ConnectorSDK
internal import JSONRecords

/// Puts what messages say into the cells of a batch.
///
/// Text that is not UTF-8 is taken for ISO 8859-1, in which every byte is a character: nothing is
/// lost, and what was meant can be had back.
public final class SyslogFields {
    /// The columns, in the order in which ``write(_:to:in:)`` fills them.
    public static let fields: [Field] = [
        Field("timestamp", .timestamp), Field("facility", .string), Field("severity", .string),
        Field("hostname", .string), Field("appname", .string), Field("procid", .string),
        Field("msgid", .string), Field("structured_data", .json), Field("message", .string),
    ]

    /// The names, so that cells can point at them.
    private let names: Chunk
    private var facilities: [Cell] = []
    private var severities: [Cell] = []
    private let json = StructuredDataWriter()

    /// Makes the names ready.
    public init() {
        let all = SyslogNames.facilities + SyslogNames.severities
        names = Chunk(copying: all.flatMap { Array($0.utf8) })
        var cells: [Cell] = []
        var at = 0
        for name in all {
            let text = UnsafeRawBufferPointer(start: names.base + at, count: name.utf8.count)
            cells.append(.slice(.string, text))
            at += name.utf8.count
        }
        facilities = Array(cells[..<SyslogNames.facilities.count])
        severities = Array(cells[SyslogNames.facilities.count...])
    }

    /// Prepares a batch whose rows are to be filled; once for each batch.
    public func begin(_ batch: RecordBatch) { batch.retain(names) }

    /// Fills the cells of ``fields``, which are missing before.
    ///
    /// The batch retains the text that the message was read from. Who calls it sees to
    /// ``RecordBatch/rawIsJSON``.
    public func write(
        _ message: SyslogMessage,
        to cells: UnsafeMutablePointer<Cell>,
        in batch: RecordBatch
    ) {
        cells[0] = message.timestamp
        if message.priority >= 0 {
            cells[1] = facilities[Int(message.priority) / 8]
            cells[2] = severities[Int(message.priority) % 8]
        }
        cells[3] = text(message.hostname, in: batch)
        cells[4] = text(message.appName, in: batch)
        cells[5] = text(message.processID, in: batch)
        cells[6] = text(message.messageID, in: batch)
        if message.structuredData.baseAddress != nil {
            cells[7] = json.cell(message.structuredData, in: batch)
        }
        cells[8] = text(message.message, in: batch)
    }

    /// A cell of text: missing where there is none, and ISO 8859-1 where it is not UTF-8.
    public func text(_ bytes: UnsafeRawBufferPointer, in batch: RecordBatch) -> Cell {
        guard let start = bytes.baseAddress else { return .missing }
        if mr_json_is_ascii(start, bytes.count) != 0 || JSONRecordParser.isValidUTF8(bytes) {
            return .slice(.string, bytes)
        }
        return Self.fromLatin1(bytes, batch)
    }

    private static func fromLatin1(_ bytes: UnsafeRawBufferPointer, _ batch: RecordBatch) -> Cell {
        let start = batch.arena.allocate(2 * bytes.count)
        var end = start
        for byte in bytes { Latin1.append(byte, to: &end) }
        batch.arena.giveBack(2 * bytes.count - (end - start))
        return .slice(.string, UnsafeRawBufferPointer(start: start, count: end - start))
    }
}

/// ISO 8859-1 as UTF-8.
enum Latin1 {
    static func append(_ byte: UInt8, to end: inout UnsafeMutableRawPointer) {
        if byte < 0x80 {
            end.storeBytes(of: byte, as: UInt8.self)
            end += 1
        } else {
            end.storeBytes(of: 0xC0 | byte >> 6, as: UInt8.self)
            (end + 1).storeBytes(of: 0x80 | byte & 0x3F, as: UInt8.self)
            end += 2
        }
    }
}
