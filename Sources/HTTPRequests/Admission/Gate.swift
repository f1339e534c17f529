public import ConnectorSDK
internal import Digests

/// Who may send: those who bear a token, and those who sign what they send.
///
/// What is compared is compared in a time that tells nothing of where it differs; tokens by their
/// digests, so that not even their length shows.
public struct Gate: Sendable {
    private let tokens: [[UInt8]]
    private let secret: [UInt8]?
    private let algorithm: SignatureAlgorithm
    /// The header of signatures; `nil` when nothing is signed.
    public let header: String?

    /// Reads the keys.
    public init(_ configuration: Configuration) throws(ConnectorError) {
        try self.init(
            tokens: try configuration.get(GateKeys.tokens),
            secret: try configuration.get(GateKeys.secret),
            header: try configuration.get(GateKeys.signatureHeader),
            algorithm: try configuration.get(GateKeys.algorithm)
        )
    }

    internal init(
        tokens: [String],
        secret: String?,
        header: String,
        algorithm: SignatureAlgorithm
    ) throws(ConnectorError) {
        self.tokens = tokens.map { Self.digest(Array($0.utf8)) }
        self.secret = secret.map { Array($0.utf8) }
        self.header = secret == nil ? nil : header
        self.algorithm = algorithm
        // A hash that the machine forbids is a configuration that cannot work.
        let isForbidden = secret != nil && Digest(algorithm.function, key: [0]) == nil
        if isForbidden || self.tokens.contains([]) {
            throw .invalid(
                GateKeys.algorithm.declaration.name,
                "This machine's OpenSSL has been told not to use the hash.",
                hint: "Choose another signature.algorithm, or look at openssl.cnf."
            )
        }
    }

    /// Whether a request needs a token.
    public var asksForToken: Bool { !tokens.isEmpty }

    /// Whether the value of `Authorization` bears one of the tokens.
    public func admits(authorization: String) -> Bool {
        let words = authorization.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return false }
        let digest = Self.digest(Array(words[1].utf8))
        // All are looked at, so that the time does not tell which it was.
        return tokens.reduce(false) { Self.isSame($1, digest) || $0 }
    }

    /// Whether a signature is that of a body.
    public func admits(signature: String, of body: UnsafeRawBufferPointer) -> Bool {
        guard let secret else { return true }
        var text = signature[...]
        let name = algorithm.rawValue + "="
        if text.lowercased().hasPrefix(name) { text = text.dropFirst(name.count) }
        let right = Self.hash(body, Digest(algorithm.function, key: secret))
        guard !right.isEmpty else { return false }
        // Base64 has letters of both sizes, hexadecimal digits may have either.
        return Self.isSame(Array(text.lowercased().utf8), Self.hexadecimal(right))
            || Self.isSame(Array(text.utf8), Self.base64(right))
    }

    private static func digest(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { hash($0, Digest(.sha256)) }
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer, _ function: Digest?) -> [UInt8] {
        guard let function else { return [] }
        return [UInt8](unsafeUninitializedCapacity: Digest.maximumLength) { room, count in
            count = function.hash(bytes, into: room)
        }
    }

    private static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count, !left.isEmpty else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    private static func base64(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            let bits = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            for place in 0..<4 {
                let digit = digits[bits >> (18 - 6 * place) & 63]
                text.append(place <= part.count ? digit : UInt8(ascii: "="))
            }
        }
        return text
    }
}

extension SignatureAlgorithm {
    fileprivate var function: Digest.Algorithm {
        switch self {
        case .sha1: .sha1
        case .sha256: .sha256
        case .sha512: .sha512
        }
    }
}
