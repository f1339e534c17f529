import ConnectorSDK
import Testing

@Suite("Captured changes")
struct CapturedChangeTests {
    @Test(
        "a transaction mark is read from its text, and nothing else is one",
        arguments: [
            ("24023128:2", TransactionMark(sequence: 24_023_128, order: 2)),
            ("0:1", TransactionMark(sequence: 0, order: 1)),
            ("18446744073709551615:end", TransactionMark(sequence: .max, order: nil)),
            ("18446744073709551616:1", nil), ("7", nil), ("7:", nil), (":7", nil), ("", nil),
            ("7:END", nil), ("-7:1", nil), ("7:1:2", nil), ("7:1 ", nil),
        ]
    )
    func texts(text: String, mark: TransactionMark?) {
        let read = Array(text.utf8).withUnsafeBytes { TransactionMark(text: $0) }
        #expect(read == mark)
    }

    @Test("a header is found by its key among others, and cut-off headers hold nothing")
    func headers() {
        // Two headers: `a` with a null value, and the mark.
        let name = Array("millrace.transaction".utf8)
        let bytes: [UInt8] = [2, 0x61, 1, UInt8(name.count * 2)] + name + [6] + Array("9:1".utf8)
        for length in 0...bytes.count {
            let mark = bytes[..<length].withUnsafeBytes { buffer in
                var metadata = RecordMetadata()
                metadata.headers = buffer
                metadata.headerCount = 2
                return TransactionMark(metadata)
            }
            let whole = TransactionMark(sequence: 9, order: 1)
            #expect(mark == (length == bytes.count ? whole : nil), "\(length) bytes")
        }
    }
}
