internal import ConnectorSDK
internal import XMLFormat

private let configurations: [[String: String]] = [
    ["max.record.bytes": "1024", "xml.root": "o", "xml.record": "r"],
    ["record.path": "//r", "force.array": "a,b/c", "max.depth": "8"],
    ["namespaces": "prefix", "force.array": "/*/*/a"],
    ["record.path": "/o", "charset": "utf-8"],
]

/// The first byte chooses the configuration and the pieces, the rest is the document.
func feedXML(_ input: UnsafeBufferPointer<UInt8>) {
    let bytes = Array(input)
    guard let mode = bytes.first else { return }
    let keys = configurations[Int(mode & 3)]
    guard let format = try? XMLFormat(configuration: Configuration(keys)) else {
        preconditionFailure("A configuration is refused.")
    }
    let text = bytes.dropFirst()
    let whole = FuzzReading(format, text, pieces: .max)
    let split = FuzzReading(format, text, pieces: Int(mode >> 2) % 7 + 1)
    // A document that breaks off may break a little sooner or later.
    if whole.error == nil, split.error == nil {
        precondition(whole == split, "A split makes a difference.")
    }
    if mode & 3 == 0, whole.error == nil { checkRoundTrip(format, text) }
}
