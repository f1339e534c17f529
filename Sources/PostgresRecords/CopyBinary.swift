/// The frame of COPY's binary form.
public enum CopyBinary {
    /// Writes what stands before the first row.
    public static func begin(_ cursor: inout CopyCursor) {
        let signature: StaticString = "PGCOPY\n"
        cursor.copy(
            UnsafeRawBufferPointer(
                start: signature.utf8Start,
                count: signature.utf8CodeUnitCount
            )
        )
        for byte in [0xFF, 0x0D, 0x0A, 0x00] as [UInt8] { cursor.put(byte) }
        // No flags, no further header.
        cursor.put(Int64(0))
    }

    /// Writes what stands behind the last row.
    public static func end(_ cursor: inout CopyCursor) { cursor.put(Int16(-1)) }
}
