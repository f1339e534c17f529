import Testing

@testable import ChangeCapture

@Suite("Hashes")
struct HashTests {
    @Test(
        "digests are those of FIPS 180-4",
        arguments: [
            (
                "SHA-224", "abc",
                "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"
            ),
            (
                "SHA-256", "",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
            ),
            (
                "SHA-256", "abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            ),
        ]
    )
    func digests(name: String, message: String, hexadecimal: String) throws {
        let algorithm = try #require(SHA2.Algorithm(rawValue: name))
        let digest = SHA2.digest(Array(message.utf8), algorithm)
        #expect(digest.map { hex($0) }.joined() == hexadecimal)
    }

    private func hex(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}
