// Feeds arbitrary bytes to what reads bytes of others. Run by scripts/fuzz.
internal import Glibc

/// What is fed: a name, which is that of the folder of its first inputs, and what to do with one.
///
/// It must not crash, must not read a byte it does not own, and checks itself what else must hold.
private let fuzzers: [(name: String, feed: @Sendable (UnsafeBufferPointer<UInt8>) -> Void)] = [
    ("csv", feedCSV),
    ("form", feedForm),
    ("json-format", feedJSONFormat),
    ("json-records", feedJSONRecords),
    ("lines", feedLines),
    ("pgoutput", feedPgOutput),
    ("record-batch", feedRecordBatches),
    ("syslog", feedSyslog),
    ("syslog-frames", feedSyslogFrames),
    ("xml", feedXML),
]

/// The one that the environment names; without a name they are listed.
private let chosen: @Sendable (UnsafeBufferPointer<UInt8>) -> Void = {
    let name = getenv("MILLRACE_FUZZER").map { String(cString: $0) }
    if let fuzzer = fuzzers.first(where: { $0.name == name }) { return fuzzer.feed }
    for fuzzer in fuzzers { print(fuzzer.name) }
    fflush(nil)
    // libFuzzer would take an exit for a crash.
    _exit(name == nil ? 0 : 2)
}()

/// Uses the sum of bytes that were only read to be read, so that no compiler leaves that out.
@inline(never)
func use(_ sum: UInt8) {
    if getpid() == 0 { print(sum) }
}

/// libFuzzer's door.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen(UnsafeBufferPointer(start: start, count: count))
    return 0
}
