import Testing

@testable import HTTPRequests

@Suite("Who may send")
struct GateTests {
    private func gate(
        tokens: [String] = [],
        secret: String? = nil,
        _ algorithm: SignatureAlgorithm = .sha256
    ) throws -> Gate {
        try Gate(tokens: tokens, secret: secret, header: "X", algorithm: algorithm)
    }

    private func admits(_ gate: Gate, _ signature: String, _ body: String) -> Bool {
        Array(body.utf8).withUnsafeBytes { gate.admits(signature: signature, of: $0) }
    }

    // RFC 2202 and RFC 4231, test case 2: the key "Jefe".
    @Test(
        "signatures are those of the RFCs",
        arguments: [
            (SignatureAlgorithm.sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (
                .sha256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                .sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                    + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
            ),
        ]
    )
    func vectors(_ algorithm: SignatureAlgorithm, _ signature: String) throws {
        let gate = try gate(secret: "Jefe", algorithm)
        let body = "what do ya want for nothing?"
        #expect(admits(gate, signature, body))
        #expect(admits(gate, signature.uppercased(), body))
        #expect(admits(gate, "\(algorithm.rawValue)=\(signature)", body))
        #expect(!admits(gate, signature, body + "?"))
        #expect(!admits(gate, String(signature.dropLast()), body))
        #expect(!admits(gate, "", body))
    }

    @Test("a signature may be base64")
    func base64() throws {
        let gate = try gate(secret: "Jefe")
        let text = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        #expect(admits(gate, text, "what do ya want for nothing?"))
        #expect(!admits(gate, text.lowercased(), "what do ya want for nothing?"))
    }

    @Test("any of the tokens, and nothing like them")
    func tokens() throws {
        let gate = try gate(tokens: ["first", "second one"])
        #expect(gate.admits(authorization: "Bearer first"))
        #expect(gate.admits(authorization: "bearer second one"))
        for wrong in ["first", "Bearer", "Bearer ", "Bearer firs", "Bearer firstt", "Basic first"] {
            #expect(!gate.admits(authorization: wrong), "\(wrong)")
        }
    }

    @Test("paths say what is taken, and name no topic that is none")
    func routes() throws {
        let open = try #require(HTTPRoute("/events/*"))
        #expect(open.match("/events/a.b-c_1") == "a.b-c_1")
        for other in ["/events/", "/events", "/events/a/b", "/events/%2e", "/events/é"] {
            #expect(open.match(other[...]) == nil, "\(other)")
        }
        let closed = try #require(HTTPRoute("/in"))
        #expect(closed.match("/in") == "")
        #expect(closed.match("/in/") == nil && closed.match("/") == nil)
        #expect(HTTPRoute("in") == nil && HTTPRoute("/a*/b") == nil)
    }
}
