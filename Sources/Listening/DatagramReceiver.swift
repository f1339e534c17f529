public import ConnectorSDK
internal import Glibc
internal import Synchronization

/// A datagram socket and the thread that reads it.
///
/// When the queue has no room it stops reading; the kernel then drops what its buffer cannot hold,
/// which is counted.
public final class DatagramReceiver: @unchecked Sendable {
    // SAFETY: `thread` is written in `init`, before the object is handed out, and read by `stop`,
    // which its owner calls once; all else is constant or atomic. The socket is used by the thread
    // alone once it runs. `pthread_t` is not Sendable.

    private let socket: DatagramSocketHandle
    private let slot: Int
    private let queue: HandOver<MessageBlock>
    private let refusals: RefusalLog
    private let isStopping = Atomic<Bool>(false)
    private var thread = pthread_t()
    /// Where it listens, with the port that was free if the address had none.
    public let address: ListenAddress

    // As many as one call receives.
    private static let slots = 64
    // How long a stop may take to be noticed.
    private static let step: Int32 = 100

    /// Opens the socket and starts the thread.
    ///
    /// - Parameters:
    ///   - address: where.
    ///   - receiveBuffer: the kernel's buffer, as far as it lets us.
    ///   - longest: the longest datagram; longer ones are refused and counted.
    ///   - queue: takes what is received.
    ///   - refusals: counts what is lost.
    /// - Throws: when the address is in use, or none of this machine.
    public init(
        _ address: ListenAddress,
        receiveBuffer: Int,
        longest: Int,
        into queue: HandOver<MessageBlock>,
        refusals: RefusalLog
    ) throws(ConnectorError) {
        socket = try DatagramSocketHandle(address, receiveBuffer: receiveBuffer)
        slot = min(longest, 64 << 10)
        self.queue = queue
        self.refusals = refusals
        if case .internet(let host, _) = address {
            self.address = .internet(host: host, port: socket.port)
        } else {
            self.address = address
        }
        let unmanaged = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<DatagramReceiver>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            unmanaged.toOpaque()
        )
        guard status == 0 else {
            unmanaged.release()
            throw .cannotListen(on: address.description, errno: status)
        }
    }

    /// Takes what has arrived, ends the thread and waits for its end.
    public func stop() {
        isStopping.store(true, ordering: .releasing)
        pthread_join(thread, nil)
    }

    private func run() {
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.slots * slot,
            alignment: 64
        )
        let senders = UnsafeMutablePointer<sockaddr_storage>.allocate(capacity: Self.slots)
        senders.initialize(repeating: sockaddr_storage(), count: Self.slots)
        defer {
            room.deallocate()
            senders.deallocate()
        }
        var lengths = [UInt32](repeating: 0, count: Self.slots)
        var cut = [UInt8](repeating: 0, count: Self.slots)
        var dropped: Int64 = 0
        var roundsLeft = 1_000
        while true {
            // Read before receiving: what came before a stop is still taken, in bounds.
            let isLast = isStopping.load(ordering: .acquiring)
            guard queue.hasRoom || isLast else {
                usleep(1_000)
                continue
            }
            let count = socket.receive(into: room, slot: slot, &lengths, &cut, senders)
            if count > 0 {
                let block = block(of: count, room, lengths, cut, senders)
                queue.put(block, cost: block.cost)
                roundsLeft -= isLast ? 1 : 0
                guard isLast, roundsLeft <= 0 else { continue }
            }
            dropped = noteDrops(since: dropped)
            if isLast { return }
            socket.wait(milliseconds: Self.step)
        }
    }

    private func noteDrops(since before: Int64) -> Int64 {
        let now = socket.dropped
        if now > before {
            refusals.note(.datagrams, count: Int(now - before), address.description)
        }
        return now
    }

    /// Puts datagrams side by side, each with its sender's address.
    private func block(
        of count: Int,
        _ room: UnsafeMutableRawBufferPointer,
        _ lengths: [UInt32],
        _ cut: [UInt8],
        _ senders: UnsafeMutablePointer<sockaddr_storage>
    ) -> MessageBlock {
        var sources: [UInt8] = []
        var messages: [MessageBlock.Message] = []
        messages.reserveCapacity(count)
        var total = 0
        var source = 0..<0
        for index in 0..<count {
            if index == 0 || !DatagramSender.isSame(senders + index, senders + (index - 1)) {
                let text = DatagramSender.text(senders + index)
                source = sources.count..<sources.count + text.count
                sources += text
            }
            guard cut[index] == 0 else {
                let sender = String(decoding: sources[source], as: UTF8.self)
                refusals.note(.tooLong, sender)
                continue
            }
            messages.append(
                .init(
                    start: index * slot,
                    length: Int(lengths[index]),
                    sourceStart: source.lowerBound,
                    sourceLength: source.count
                )
            )
            total += Int(lengths[index])
        }
        let chunk = Chunk(capacity: sources.count + total)
        chunk.bytes.copyBytes(from: sources)
        var end = sources.count
        for index in messages.indices {
            let length = Int(messages[index].length)
            let from = UnsafeRawBufferPointer(room)[Int(messages[index].start)...].prefix(length)
            UnsafeMutableRawBufferPointer(rebasing: chunk.bytes[end...]).copyBytes(from: from)
            messages[index].start = Int32(end)
            end += length
        }
        return MessageBlock(chunk, messages)
    }
}
