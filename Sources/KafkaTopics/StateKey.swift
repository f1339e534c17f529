/// Keys of the store's own topics: texts one after the other, each after its length.
///
/// So a connector's name may hold any character.
internal struct StateKey: Hashable {
    internal private(set) var bytes: [UInt8] = []

    internal init(_ texts: String..., rest: [UInt8] = []) {
        for text in texts {
            let utf8 = Array(text.utf8)
            append(Int32(utf8.count))
            bytes += utf8
        }
        bytes += rest
    }

    private mutating func append(_ number: Int32) {
        withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
    }

    /// The texts that a key begins with and what follows them, or `nil` when it is none of ours.
    internal static func split(
        _ bytes: [UInt8],
        texts count: Int
    ) -> (texts: [String], rest: ArraySlice<UInt8>)? {
        var rest = bytes[...]
        var texts: [String] = []
        for _ in 0..<count {
            guard rest.count >= 4 else { return nil }
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count else { return nil }
            texts.append(String(decoding: rest.prefix(length), as: UTF8.self))
            rest = rest.dropFirst(length)
        }
        return (texts, rest)
    }

    /// A partition's number as the rest of a key.
    internal static func rest(_ part: Int32, _ key: UnsafeRawBufferPointer) -> [UInt8] {
        withUnsafeBytes(of: part.bigEndian) { Array($0) } + Array(key)
    }

    /// What ``rest(_:_:)`` was made of.
    internal static func part(
        _ rest: ArraySlice<UInt8>
    ) -> (part: Int32, key: [UInt8])? {
        guard rest.count >= 4 else { return nil }
        let part = rest.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return (Int32(bitPattern: part), Array(rest.dropFirst(4)))
    }
}
