internal import CZlib
internal import ConnectorSDK

/// zlib's inflater for gzip members.
internal struct InflateHandle: ~Copyable {
    /// What a step came to.
    enum Step {
        /// There may be more, given more input or room.
        case more
        /// The member is complete, its checksum right.
        case endOfMember
        /// The bytes are no gzip member.
        case corrupt
    }

    // zlib keeps a pointer back to the stream, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    init(_ wrapper: GzipDecompressor.Wrapper = .gzip) throws(ConnectorError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, and 16 for a gzip header and trailer instead of zlib's.
        let bits: Int32 = wrapper == .gzip ? 15 + 16 : 15
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, bits, ZLIB_VERSION, size) == Z_OK else {
            stream.deallocate()
            throw .outOfMemory(.gzip)
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Begins a new member.
    func reset() { inflateReset(stream) }

    /// Inflates some of `input` into `output`; both are moved past what was used.
    func step(
        _ input: inout UnsafeRawBufferPointer,
        _ output: inout UnsafeMutableRawBufferPointer
    ) -> Step {
        let given = min(input.count, Int(Int32.max)), room = min(output.count, Int(Int32.max))
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        stream.pointee.avail_in = UInt32(given)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room)
        let result = inflate(stream, Z_NO_FLUSH)
        input = .init(rebasing: input[(given - Int(stream.pointee.avail_in))...])
        output = .init(rebasing: output[(room - Int(stream.pointee.avail_out))...])
        switch result {
        case Z_OK, Z_BUF_ERROR: return .more
        case Z_STREAM_END: return .endOfMember
        default: return .corrupt
        }
    }
}

/// zlib's deflater, which writes gzip members.
internal struct DeflateHandle: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>

    init(level: Int32) throws(ConnectorError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let size = Int32(MemoryLayout<z_stream>.size)
        let result = deflateInit2_(
            stream,
            level,
            Z_DEFLATED,
            15 + 16,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            size
        )
        guard result == Z_OK else {
            stream.deallocate()
            throw .outOfMemory(.gzip)
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Begins a new member.
    func reset() { deflateReset(stream) }

    /// Compresses all of `input`, and with `ending` completes the member.
    func compress(
        _ input: UnsafeRawBufferPointer,
        ending: Bool,
        into output: OutputBuffer
    ) {
        var rest = input
        repeat {
            let given = min(rest.count, Int(Int32.max))
            let room = 64 << 10
            let target = output.reserve(room)
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: rest.baseAddress?.assumingMemoryBound(to: UInt8.self)
            )
            stream.pointee.avail_in = UInt32(given)
            stream.pointee.next_out = target.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(room)
            let result = deflate(stream, ending && given == rest.count ? Z_FINISH : Z_NO_FLUSH)
            output.count += room - Int(stream.pointee.avail_out)
            rest = .init(rebasing: rest[(given - Int(stream.pointee.avail_in))...])
            if result == Z_STREAM_END { return }
        } while !rest.isEmpty || ending || stream.pointee.avail_out == 0
    }
}
