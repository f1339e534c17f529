public import ConnectorSDK
internal import Glibc

/// Reads a pipe, a terminal or a socket, on the task's own thread, without being deaf to a stop.
public final class DescriptorReader {
    /// How long a stop may take to be noticed while nothing comes.
    private static let slice: Int32 = 100
    /// How long a writer may pause between two pieces of what it writes in one go.
    private static let pause: Int32 = 2

    private let descriptor: Int32
    private let isStopping: () -> Bool

    /// Makes a reader of a descriptor, which it does not close.
    public init(_ descriptor: Int32, isStopping: @escaping () -> Bool) {
        self.descriptor = descriptor
        self.isStopping = isStopping
    }

    /// Whether nothing is there to be read now, nor a moment later.
    public var isIdle: Bool { !isReadable(within: Self.pause) }

    /// Reads the next bytes, and waits for them; returns how many, 0 at the end.
    ///
    /// - Throws: ``ConnectorError/Code/cancelled`` when the task must stop.
    public func read(
        into room: UnsafeMutableRawBufferPointer
    ) throws(ConnectorError) -> Int {
        while true {
            while !isReadable(within: Self.slice) { try checkStop() }
            try checkStop()
            let count = Glibc.read(descriptor, room.baseAddress, room.count)
            if count >= 0 { return count }
            guard errno == EINTR || errno == EAGAIN else {
                // A terminal whose other side is gone answers so.
                if errno == EIO { return 0 }
                throw ConnectorError(
                    .init("stream.read"),
                    .failTask,
                    "The stream cannot be read: \(String(cString: strerror(errno))).",
                    kind: .environment
                )
            }
        }
    }

    private func isReadable(within milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, milliseconds) > 0
    }

    private func checkStop() throws(ConnectorError) {
        guard isStopping() else { return }
        throw ConnectorError(.cancelled, .failTask, "The task was told to stop.")
    }
}
