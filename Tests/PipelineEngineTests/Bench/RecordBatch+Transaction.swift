import ConnectorSDK

@testable import PipelineEngine

extension RecordBatch {
    /// Gives the first record the header that says where in a transaction a captured row is.
    func setTransaction(_ mark: String) {
        var headers: [UInt8] = []
        RecordHeaders.append("millrace.transaction", mark, to: &headers)
        let chunk = Chunk(copying: headers)
        retain(chunk)
        self[metadata: 0].headers = UnsafeRawBufferPointer(
            start: chunk.base,
            count: headers.count
        )
        self[metadata: 0].headerCount = 1
    }
}
