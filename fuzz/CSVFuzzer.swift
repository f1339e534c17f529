internal import CSVFormat
internal import ConnectorSDK

private let dialects: [[String: String]] = [
    ["max.record.bytes": "1024"],
    ["escape": "\\", "null.values": "NULL,x"],
    ["header": "false", "quote": "'", "delimiter": ";"],
    ["trim": "true", "comment": "#"],
    ["types": "string", "quote": "none"],
    [
        "types.a": "decimal", "types.b": "timestamp", "types.c": "json", "columns": "a,b,c",
        "header": "false",
    ],
    ["types": "double", "trim": "true", "escape": "!"],
    ["delimiter": "tab", "skip.lines": "1", "comment": "a"],
]

/// The first byte chooses the dialect and the pieces, the rest is the file.
func feedCSV(_ input: UnsafeBufferPointer<UInt8>) {
    let bytes = Array(input)
    guard let mode = bytes.first else { return }
    let keys = dialects[Int(mode & 7)]
    guard let format = try? CSVFormat(configuration: Configuration(keys)) else {
        preconditionFailure("A dialect is refused.")
    }
    let text = bytes.dropFirst()
    let whole = FuzzReading(format, text, pieces: .max)
    let split = FuzzReading(format, text, pieces: Int(mode >> 3) % 7 + 1)
    precondition(whole == split, "A split makes a difference.")
    if mode & 7 < 2 { checkRoundTrip(format, text) }
}
