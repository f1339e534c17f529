internal import ConnectorSDK
internal import Glibc
internal import JSONRecords

/// Puts the texts of records into a batch: as rows, or as rejections.
internal final class RecordIntake {
    /// What became of a text.
    enum Outcome {
        /// It is a row or a rejection.
        case taken
        /// It needs another batch.
        case conflict
        /// It is no JSON, and where it ends is not certain.
        case broken(JSONSyntaxError)
    }

    /// Where a record is in its stream.
    struct Place {
        var byte: Int64
        var line: Int64
    }

    /// Enough of a record to know it again.
    private static let sampleBytes = 1_024

    let maximumRecordBytes: Int
    private let parser = JSONRecordParser()
    @exclusivity(unchecked) private var isClean = true
    @exclusivity(unchecked) private var bytes = 0

    init(maximumRecordBytes: Int) { self.maximumRecordBytes = maximumRecordBytes }

    /// Makes a batch ready for records.
    func begin(_ batch: RecordBatch) {
        if batch.count == 0 { parser.begin(batch) }
        isClean = batch.count == 0 || batch.rawIsJSON
        bytes = 0
    }

    /// Says of a batch whether its rows are what their texts say, when no more are coming.
    func end(_ batch: RecordBatch) {
        if batch.count > 0 { batch.rawIsJSON = isClean }
    }

    /// Whether the batch has had enough.
    func isFull(_ batch: RecordBatch) -> Bool {
        batch.isFull || bytes >= RecordBatch.byteLimit
            || batch.rejections.count >= RecordBatch.rowLimit
    }

    /// Takes a record out of the window of an input whose chunk the caller retains.
    ///
    /// `mayBreakLines` says that the text may go over several lines.
    @inline(__always)
    func take(
        _ text: UnsafeRawBufferPointer,
        at place: Place,
        isValidUTF8: Bool,
        mayBreakLines: Bool,
        into batch: RecordBatch
    ) -> Outcome {
        switch parser.append(text, isValidUTF8: isValidUTF8, to: batch) {
        case .parsed:
            let metadata = batch.metadata(batch.count &- 1)
            metadata.pointee.offset = place.byte
            metadata.pointee.line = place.line
            bytes &+= text.count
            if mayBreakLines, isClean, parser.mayHaveLineBreak, Self.hasLineBreak(text) {
                isClean = false
            }
            return .taken
        case .conflict: return .conflict
        case .invalid(let error):
            if mayBreakLines, !error.reason.leavesStructureIntact { return .broken(error) }
            bytes &+= text.count
            reject(text, Self.refusal(error, at: place), at: place, in: batch)
            return .taken
        }
    }

    /// Rejects a record of which only the beginning is at hand.
    func rejectTooLong(
        _ beginning: UnsafeRawBufferPointer,
        at place: Place,
        in batch: RecordBatch
    ) {
        let sample = UnsafeRawBufferPointer(rebasing: beginning.prefix(Self.sampleBytes))
        let error = ConnectorError(
            .recordTooLong,
            .rejectRecord,
            "The record at line \(place.line), byte \(place.byte) is longer than "
                + "\(maximumRecordBytes) bytes.",
            at: JSONFormat.maximumRecordBytes.declaration.name,
            hint: "Raise max.record.bytes, or name the records inside with record.path."
        )
        reject(sample, error, at: place, isCut: true, in: batch)
    }

    /// Rejects a text, of which the rest is not at hand when it is cut.
    func reject(
        _ text: UnsafeRawBufferPointer,
        _ error: ConnectorError,
        at place: Place,
        isCut: Bool = false,
        in batch: RecordBatch
    ) {
        var record = RejectedRecord(
            error: error,
            topic: batch.topic,
            value: text,
            offset: place.byte,
            line: place.line
        )
        record.isCut = isCut
        batch.reject(record)
    }

    /// The beginning of a text that is worth showing.
    static func sample(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: text.prefix(sampleBytes))
    }

    /// The error of a record that is not JSON.
    static func refusal(_ error: JSONSyntaxError, at place: Place) -> ConnectorError {
        ConnectorError(
            .jsonSyntax,
            .rejectRecord,
            "The record at line \(place.line), byte \(place.byte) is not JSON: "
                + "\(error.reason.rawValue) at its byte \(error.offset)."
        )
    }

    private static func hasLineBreak(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let start = text.baseAddress else { return false }
        return memchr(start, 0x0A, text.count) != nil || memchr(start, 0x0D, text.count) != nil
    }
}

extension ConnectorError.Code {
    /// Text that is not JSON.
    static let jsonSyntax = Self("json.syntax")
    /// A record beyond `max.record.bytes`.
    static let recordTooLong = Self("json.record_too_long")
    /// A document in which `record.path` leads nowhere.
    static let pathNotFound = Self("json.path_not_found")
}
