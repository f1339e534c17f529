internal import CLZ4
internal import ConnectorSDK

/// An LZ4 frame decompression context.
internal struct LZ4DecompressionHandle: ~Copyable {
    private let context: OpaquePointer

    init() throws(ConnectorError) {
        var created: OpaquePointer?
        let result = LZ4F_createDecompressionContext(&created, UInt32(LZ4F_VERSION))
        guard LZ4F_isError(result) == 0, let created else { throw .outOfMemory(.lz4) }
        context = created
    }

    deinit { LZ4F_freeDecompressionContext(context) }

    /// Forgets a frame that was begun.
    func reset() { LZ4F_resetDecompressionContext(context) }

    /// Reads the header of a frame, moving `input` past it; returns the content's size, 0 when
    /// the frame does not tell, or `nil` when it is no frame.
    func begin(_ input: inout UnsafeRawBufferPointer) -> UInt64? {
        var info = LZ4F_frameInfo_t()
        var used = input.count
        let result = LZ4F_getFrameInfo(context, &info, input.baseAddress, &used)
        guard LZ4F_isError(result) == 0 else { return nil }
        input = .init(rebasing: input[used...])
        return info.contentSize
    }

    /// Decompresses some of `input` into `output`; both are moved past what was used.
    ///
    /// - Returns: 0 at the end of a frame, more than 0 inside one, `nil` for damaged data.
    func step(
        _ input: inout UnsafeRawBufferPointer,
        _ output: inout UnsafeMutableRawBufferPointer
    ) -> Int? {
        var used = input.count, written = output.count
        let result = LZ4F_decompress(
            context,
            output.baseAddress,
            &written,
            input.baseAddress,
            &used,
            nil
        )
        guard LZ4F_isError(result) == 0 else { return nil }
        input = .init(rebasing: input[used...])
        output = .init(rebasing: output[written...])
        return result
    }
}

/// Writes LZ4 frames.
internal enum LZ4Frame {
    /// Compresses `input` into one frame that tells its size.
    ///
    /// Blocks are independent because Kafka's Java client refuses any others.
    static func compress(
        _ input: UnsafeRawBufferPointer,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockSizeID = LZ4F_max256KB
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.contentSize = UInt64(input.count)
        let room = LZ4F_compressFrameBound(input.count, &preferences)
        let result = LZ4F_compressFrame(
            output.reserve(room),
            room,
            input.baseAddress,
            input.count,
            &preferences
        )
        guard LZ4F_isError(result) == 0 else { throw .outOfMemory(.lz4) }
        output.count += result
    }
}
