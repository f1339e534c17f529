// Feeds arbitrary bytes to the XML format. Run by scripts/fuzz.
import ConnectorSDK
import XMLFormat

private let configurations: [[String: String]] = [
    ["max.record.bytes": "1024", "xml.root": "o", "xml.record": "r"],
    ["record.path": "//r", "force.array": "a,b/c", "max.depth": "8"],
    ["namespaces": "prefix", "force.array": "/*/*/a"],
    ["record.path": "/o", "charset": "utf-8"],
]

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzXML(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    guard let mode = bytes.first else { return 0 }
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
    return 0
}
