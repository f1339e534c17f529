/// A cryptographic hash function, with a secret key (HMAC) or without.
///
/// One task uses it, for one text after the other, without allocating for each.
public final class Digest {
    /// The functions there are.
    public enum Algorithm: String, CaseIterable, Sendable {
        case sha256, sha384, sha512, sha1, md5

        /// The function's name in OpenSSL.
        fileprivate var name: String {
            switch self {
            case .sha256: "SHA256"
            case .sha384: "SHA384"
            case .sha512: "SHA512"
            case .sha1: "SHA1"
            case .md5: "MD5"
            }
        }
    }

    /// No hash is longer.
    public static let maximumLength = 64

    private let handle: DigestHandle

    /// Makes a function; `nil` when this machine's library has been told not to have it.
    public init?(_ algorithm: Algorithm, key: [UInt8]? = nil) {
        guard let handle = DigestHandle(algorithm.name, key: key) else { return nil }
        self.handle = handle
    }

    /// Hashes bytes into a buffer of ``maximumLength``; returns how many bytes the hash has.
    public func hash(
        _ bytes: UnsafeRawBufferPointer,
        into result: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        precondition(result.count >= Self.maximumLength, "There is no room for the hash.")
        return handle.hash(bytes, into: result)
    }
}
