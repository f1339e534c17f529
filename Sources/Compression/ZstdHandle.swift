internal import CZstd
internal import ConnectorSDK

/// A Zstandard decompression context.
internal struct ZstdDecompressionHandle: ~Copyable {
    private let context: OpaquePointer

    init() throws(ConnectorError) {
        guard let context = ZSTD_createDCtx() else { throw .outOfMemory(.zstd) }
        self.context = context
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Forgets a frame that was begun.
    func reset() { ZSTD_DCtx_reset(context, ZSTD_reset_session_only) }

    /// The decompressed size when `input` is exactly one frame that tells it.
    static func size(ofOnlyFrame input: UnsafeRawBufferPointer) -> Int? {
        guard ZSTD_findFrameCompressedSize(input.baseAddress, input.count) == input.count else {
            return nil
        }
        // The two largest numbers stand for "unknown" and "error".
        let size = ZSTD_getFrameContentSize(input.baseAddress, input.count)
        return size < UInt64(Int.max) ? Int(size) : nil
    }

    /// Decompresses one whole frame; returns the size, or what is wrong.
    func decompress(
        _ input: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) -> Result<Int, ZstdFault> {
        let result = ZSTD_decompressDCtx(
            context,
            output.baseAddress,
            output.count,
            input.baseAddress,
            input.count
        )
        return ZSTD_isError(result) == 0 ? .success(result) : .failure(ZstdFault(result))
    }

    /// Decompresses some of `input` into `output`; both are moved past what was used.
    ///
    /// - Returns: 0 at the end of a frame, else more than 0.
    func step(
        _ input: inout UnsafeRawBufferPointer,
        _ output: inout UnsafeMutableRawBufferPointer
    ) -> Result<Int, ZstdFault> {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = ZSTD_decompressStream(context, &target, &source)
        input = .init(rebasing: input[source.pos...])
        output = .init(rebasing: output[target.pos...])
        return ZSTD_isError(result) == 0 ? .success(result) : .failure(ZstdFault(result))
    }
}

/// What the library says of damaged data.
internal struct ZstdFault: Error {
    let message: String

    init(_ code: Int) { message = String(cString: ZSTD_getErrorName(code)).lowercased() }
}

/// A Zstandard compression context.
internal struct ZstdCompressionHandle: ~Copyable {
    private let context: OpaquePointer

    init(level: Int32) throws(ConnectorError) {
        guard let context = ZSTD_createCCtx() else { throw .outOfMemory(.zstd) }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        // So that damage is found even where nothing around the frame has a checksum.
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Compresses `input` into one frame that tells its size.
    func compressFrame(
        _ input: UnsafeRawBufferPointer,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        let room = ZSTD_compressBound(input.count)
        let result = ZSTD_compress2(
            context,
            output.reserve(room),
            room,
            input.baseAddress,
            input.count
        )
        guard ZSTD_isError(result) == 0 else { throw .outOfMemory(.zstd) }
        output.count += result
    }

    /// Compresses all of `input` into the frame begun, and with `ending` completes it.
    func compress(
        _ input: UnsafeRawBufferPointer,
        ending: Bool,
        into output: OutputBuffer
    ) throws(ConnectorError) {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        let room = ZSTD_CStreamOutSize()
        while true {
            var target = ZSTD_outBuffer(dst: output.reserve(room), size: room, pos: 0)
            let mode = ending ? ZSTD_e_end : ZSTD_e_continue
            let result = ZSTD_compressStream2(context, &target, &source, mode)
            guard ZSTD_isError(result) == 0 else { throw .outOfMemory(.zstd) }
            output.count += target.pos
            if ending ? result == 0 : source.pos == source.size { return }
        }
    }
}
