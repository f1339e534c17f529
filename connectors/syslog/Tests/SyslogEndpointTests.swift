import Listening
import Testing

@testable import SyslogConnector

@Suite("Syslog addresses")
struct SyslogEndpointTests {
    @Test("addresses say how messages come in")
    func endpoints() {
        #expect(SyslogEndpoint("tcp://127.0.0.1:514")?.kind == .tcp)
        #expect(SyslogEndpoint("tls://[::1]:6514")?.address == .internet(host: "::1", port: 6_514))
        #expect(
            SyslogEndpoint("udp://:514")?.address == .internet(host: "127.0.0.1", port: 514)
        )
        for (text, path) in [("unix:/run/x", "/run/x"), ("unixgram:///dev/log", "/dev/log")] {
            #expect(
                SyslogEndpoint(text)?.address == .unix(path: path, mode: .ownerAndGroup)
            )
        }
        for bad in ["127.0.0.1:514", "tcp:514", "tcp://host", "http://a:1", "unix:", "tcp://::1:5"]
        {
            #expect(SyslogEndpoint(bad) == nil, "\(bad)")
        }
    }
}
