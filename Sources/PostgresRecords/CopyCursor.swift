public import ConnectorSDK

/// A place in an ``OutputBuffer`` that the data of a COPY is written through, with the bounds at
/// hand.
///
/// Nothing counts as written until ``commit()``.
@frozen
public struct CopyCursor {
    @usableFromInline internal let output: OutputBuffer
    @usableFromInline internal var next: UnsafeMutableRawPointer
    @usableFromInline internal var limit: UnsafeMutableRawPointer

    /// Begins behind what the buffer holds.
    @inlinable
    public init(_ output: OutputBuffer) {
        self.output = output
        next = output.base + output.count
        limit = output.base + output.capacity
    }

    /// Makes sure that `count` more bytes fit.
    @inlinable @inline(__always)
    internal mutating func ensure(_ count: Int) {
        if limit - next < count { grow(count) }
    }

    @usableFromInline @inline(never)
    internal mutating func grow(_ count: Int) {
        commit()
        next = output.reserve(max(count, output.capacity))
        limit = output.base + output.capacity
    }

    /// Makes the buffer's count say what was written.
    @inlinable
    public func commit() { output.count = next - output.base }

    /// The bytes written since the buffer was empty, for ``takeBack(to:)``.
    @inlinable public var count: Int { next - output.base }

    /// Forgets what was written behind a place.
    @inlinable
    public mutating func takeBack(to count: Int) { next = output.base + count }

    /// Writes an integer, its highest byte first.
    @inlinable @inline(__always)
    public mutating func put<Number: FixedWidthInteger>(_ value: Number) {
        ensure(8)
        next.storeBytes(of: value.bigEndian, as: Number.self)
        next += MemoryLayout<Number>.size
    }

    /// Writes a value's length and its bytes.
    @inlinable @inline(__always)
    internal mutating func field(_ bytes: UnsafeRawBufferPointer) {
        ensure(bytes.count &+ 4)
        next.storeBytes(of: Int32(truncatingIfNeeded: bytes.count).bigEndian, as: Int32.self)
        next += 4
        guard let start = bytes.baseAddress else { return }
        next.copyMemory(from: start, byteCount: bytes.count)
        next += bytes.count
    }

    /// Writes the length and bytes of an integer.
    @inlinable @inline(__always)
    internal mutating func field<Number: FixedWidthInteger>(_ value: Number) {
        ensure(12)
        let size = MemoryLayout<Number>.size
        next.storeBytes(of: Int32(truncatingIfNeeded: size).bigEndian, as: Int32.self)
        (next + 4).storeBytes(of: value.bigEndian, as: Number.self)
        next += 4 &+ size
    }

    /// Writes bytes as they are.
    @inlinable
    public mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        ensure(bytes.count)
        guard let start = bytes.baseAddress else { return }
        next.copyMemory(from: start, byteCount: bytes.count)
        next += bytes.count
    }
}
