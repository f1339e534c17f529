internal import Glibc

/// C strings that live as long as the list.
internal final class CStringList {
    internal let pointers: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private let count: Int

    internal init(_ texts: [String?]) {
        count = texts.count
        pointers = .allocate(capacity: max(count, 1))
        for (index, text) in texts.enumerated() {
            (pointers + index).initialize(to: text.flatMap { UnsafePointer(strdup($0)) })
        }
    }

    deinit {
        for index in 0..<count { free(UnsafeMutablePointer(mutating: pointers[index])) }
        pointers.deallocate()
    }
}

extension String {
    /// The text in a buffer that a C function has filled, up to its first zero.
    internal init(buffer: [CChar]) {
        self.init(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
