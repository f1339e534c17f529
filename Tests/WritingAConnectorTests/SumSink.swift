import ConnectorSDK
import Glibc

/// Keeps the sum of one field in a small file, exactly once.
final class SumSink: SinkConnector {
    static let name = "sum"
    static let summary = "Adds up a field."

    static let field = ConfigKey.required("field", help: "The field to add up.")
    static let path = ConfigKey.required("path", help: "The file that holds the sum.")
    static let configuration = ConfigSpec().with(field).with(path)

    let input = SinkInput.fields
    private let fieldName: String
    private let file: String
    private var sum: Int64 = 0
    private var offsets: [TopicPartition: Int64] = [:]

    init(configuration: Configuration, context: ConnectorContext) throws(ConnectorError) {
        fieldName = try configuration.get(Self.field)
        file = configuration.path(try configuration.get(Self.path))
    }

    func open(
        _ partitions: [TopicPartition]
    ) async throws(ConnectorError) -> [TopicPartition: Int64]? {
        // One line each: the sum, then topic, partition and the next offset to read.
        let lines = (try? readLines(of: file)) ?? []
        sum = lines.first.flatMap { Int64($0) } ?? 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: " ")
            guard parts.count == 3, let partition = Int32(parts[1]) else { continue }
            offsets[TopicPartition(String(parts[0]), partition)] = Int64(parts[2])
        }
        return offsets
    }

    func write(_ batch: RecordBatch) async throws(ConnectorError) {
        var added: Int64 = 0
        for row in batch.indices {
            guard case .int(let number) = batch.value(row, fieldName) else {
                // Nothing was changed yet, so the engine may look for the record at fault.
                throw ConnectorError(
                    .init("sum.no_integer"),
                    .rejectRecord,
                    "The field `\(fieldName)` is no integer."
                )
            }
            added += number
        }
        sum += added
    }

    func commit(_ offsets: [TopicPartition: Int64]) async throws(ConnectorError) {
        // The sum and the offsets change together, because one file takes the other's place.
        self.offsets.merge(offsets) { $1 }
        var text = "\(sum)\n"
        for (partition, offset) in self.offsets {
            text += "\(partition.topic) \(partition.partition) \(offset)\n"
        }
        try replaceFile(file, with: text)
    }

    func close() async {}
}

private func readLines(of path: String) throws(ConnectorError) -> [Substring] {
    guard let file = fopen(path, "r") else {
        throw ConnectorError(.fileSystem, .failTask, "Cannot read the sum.")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = getc(file), byte != EOF { bytes.append(UInt8(byte)) }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
}

private func replaceFile(_ path: String, with text: String) throws(ConnectorError) {
    let temporary = path + ".new"
    guard let file = fopen(temporary, "w") else {
        throw ConnectorError(.fileSystem, .retry(after: nil), "Cannot write the sum.")
    }
    fputs(text, file)
    fflush(file)
    fsync(fileno(file))
    fclose(file)
    rename(temporary, path)
}
