internal import PostgresClient

/// Reads rows of COPY's binary format, one message at a time.
internal struct BinaryCopy {
    private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]

    private var isBegun = false
    private var fields: [UnsafeRawBufferPointer?] = []

    /// The number of columns of the row.
    internal var count: Int { fields.count }

    /// A column of the row, `nil` for null.
    internal subscript(column: Int) -> UnsafeRawBufferPointer? { fields[column] }

    /// Takes a message, as long as which its columns are valid; `false` when it has no row.
    internal mutating func take(_ message: UnsafeRawBufferPointer) throws(PostgresFailure) -> Bool {
        var at = 0
        if !isBegun {
            guard message.count >= 19, message.prefix(11).elementsEqual(Self.signature) else {
                throw Self.damaged
            }
            let extra = Int(message.loadUnaligned(fromByteOffset: 15, as: Int32.self).bigEndian)
            guard extra >= 0, extra <= message.count - 19 else { throw Self.damaged }
            isBegun = true
            at = 19 + extra
            if at == message.count { return false }
        }
        guard message.count - at >= 2 else { throw Self.damaged }
        let count = Int(message.loadUnaligned(fromByteOffset: at, as: Int16.self).bigEndian)
        at += 2
        // The trailer.
        if count == -1 { return false }
        guard count >= 0, count <= (message.count - at) / 4 else { throw Self.damaged }
        fields.removeAll(keepingCapacity: true)
        for _ in 0..<count {
            guard message.count - at >= 4 else { throw Self.damaged }
            let length = Int(message.loadUnaligned(fromByteOffset: at, as: Int32.self).bigEndian)
            at += 4
            if length == -1 {
                fields.append(nil)
                continue
            }
            guard length >= 0, length <= message.count - at else { throw Self.damaged }
            fields.append(UnsafeRawBufferPointer(rebasing: message[at..<at + length]))
            at += length
        }
        return true
    }

    private static let damaged = PostgresFailure.client("The data of a COPY cannot be read.")
}
