internal import CCrypto

/// A hash function at work, with a key (HMAC) or without; freed when it goes out of scope.
///
/// One thread uses it.
@safe
internal struct DigestHandle: ~Copyable {
    private let digest: OpaquePointer?
    private let kind: OpaquePointer?
    private let mac: OpaquePointer?

    /// `nil` when the library does not have the function.
    init?(_ algorithm: String, key: [UInt8]?) {
        guard let key else {
            guard let kind = EVP_MD_fetch(nil, algorithm, nil) else { return nil }
            guard let digest = EVP_MD_CTX_new() else {
                EVP_MD_free(kind)
                return nil
            }
            self.kind = kind
            self.digest = digest
            mac = nil
            return
        }
        guard let mac = Self.makeMAC(algorithm, key) else { return nil }
        self.mac = mac
        kind = nil
        digest = nil
    }

    deinit {
        EVP_MD_CTX_free(digest)
        EVP_MD_free(kind)
        EVP_MAC_CTX_free(mac)
    }

    private static func makeMAC(_ algorithm: String, _ key: [UInt8]) -> OpaquePointer? {
        guard let function = EVP_MAC_fetch(nil, "HMAC", nil) else { return nil }
        defer { EVP_MAC_free(function) }
        guard let context = EVP_MAC_CTX_new(function) else { return nil }
        // Parameters point at both texts until the function has read them.
        var name = Array(algorithm.utf8CString)
        let isReady = OSSL_MAC_PARAM_DIGEST.withCString { parameter in
            name.withUnsafeMutableBufferPointer { name in
                var parameters = [
                    OSSL_PARAM_construct_utf8_string(parameter, name.baseAddress, 0),
                    OSSL_PARAM_construct_end(),
                ]
                return EVP_MAC_init(context, key, key.count, &parameters) == 1
            }
        }
        if isReady { return context }
        EVP_MAC_CTX_free(context)
        return nil
    }

    /// Hashes bytes into `result`, and returns the length of the hash; 0 when that fails.
    borrowing func hash(
        _ bytes: UnsafeRawBufferPointer,
        into result: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        if let mac {
            var length = 0
            // The key of before is taken again.
            guard EVP_MAC_init(mac, nil, 0, nil) == 1,
                EVP_MAC_update(mac, start, bytes.count) == 1,
                EVP_MAC_final(mac, result.baseAddress, &length, result.count) == 1
            else { return 0 }
            return length
        }
        var length: UInt32 = 0
        guard EVP_DigestInit_ex2(digest, kind, nil) == 1,
            EVP_DigestUpdate(digest, start, bytes.count) == 1,
            EVP_DigestFinal_ex(digest, result.baseAddress, &length) == 1
        else { return 0 }
        return Int(length)
    }
}
