import Glibc
@testable import Listening
import TestServices
import Testing

@Suite("Renewal of certificates")
struct TLSRenewalTests {
    @Test("files are read again when they have changed and come to rest, once")
    func changes() throws {
        let directory = try TemporaryDirectory()
        let files = TLSFiles(
            certificate: directory.path + "/crt",
            key: directory.path + "/key",
            clientAuthority: nil
        )
        try directory.write("first", to: "crt")
        try directory.write("first", to: "key")
        var renewal = TLSRenewal(used: FileStamp.all(of: files))
        var isDue: Bool { renewal.isDue(FileStamp.all(of: files)) }
        #expect(!isDue)
        #expect(!isDue)
        try directory.write("the second", to: "crt")
        #expect(!isDue, "its key may not be there yet")
        try directory.write("the second", to: "key")
        #expect(!isDue)
        #expect(isDue)
        #expect(!isDue, "whatever came of it")
        #expect(unlink(files.key) == 0)
        #expect(!isDue)
        #expect(isDue)
        #expect(!isDue)
    }
}
