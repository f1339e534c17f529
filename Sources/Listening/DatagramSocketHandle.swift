internal import CLinux
internal import ConnectorSDK
internal import Glibc

/// A datagram socket, UDP or Unix, that is closed when it is let go.
internal struct DatagramSocketHandle: ~Copyable {
    private let descriptor: Int32
    private let path: String?

    /// Opens a socket and binds it.
    init(_ address: ListenAddress, receiveBuffer: Int) throws(ConnectorError) {
        descriptor = try Self.open(address)
        if case .unix(let path, _) = address { self.path = path } else { path = nil }
        var size = Int32(clamping: receiveBuffer)
        let length = socklen_t(MemoryLayout<Int32>.size)
        // The first is for root and may go beyond net.core.rmem_max.
        if setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, length) != 0 {
            _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, length)
        }
    }

    deinit {
        close(descriptor)
        if let path { UnixSocketFile.remove(path) }
    }

    private static func open(_ address: ListenAddress) throws(ConnectorError) -> Int32 {
        switch address {
        case .internet(let host, let port):
            return try openInternet(host, port, address.description)
        case .unix(let path, let mode):
            return try UnixSocketFile.open(path, mode, isDatagram: true)
        }
    }

    private static func openInternet(
        _ host: String,
        _ port: Int,
        _ name: String
    ) throws(ConnectorError) -> Int32 {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let first = found else {
            throw .cannotListen(on: name, errno: EADDRNOTAVAIL)
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(first.pointee.ai_family, first.pointee.ai_socktype, 0)
        guard descriptor >= 0 else { throw .cannotListen(on: name, errno: errno) }
        guard bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
            let code = errno
            close(descriptor)
            throw .cannotListen(on: name, errno: code)
        }
        return descriptor
    }

    /// The port it is bound to; 0 of a Unix socket.
    var port: Int {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            let status = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &size)
            }
            guard status == 0 else { return 0 }
            return DatagramSender.port(pointer)
        }
    }

    /// Waits until there are datagrams, or the time is up.
    func wait(milliseconds: Int32) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&entry, 1, milliseconds)
    }

    /// Datagrams that found no room in the kernel's buffer so far.
    var dropped: Int64 { max(0, mr_dropped_datagrams(descriptor)) }

    /// Receives what there is; see `mr_receive_datagrams`.
    func receive(
        into room: UnsafeMutableRawBufferPointer,
        slot: Int,
        _ lengths: inout [UInt32],
        _ cut: inout [UInt8],
        _ senders: UnsafeMutablePointer<sockaddr_storage>
    ) -> Int {
        Int(
            mr_receive_datagrams(
                descriptor,
                room.baseAddress,
                UInt32(slot),
                UInt32(lengths.count),
                &lengths,
                &cut,
                senders
            )
        )
    }
}

/// Who sent a datagram.
internal enum DatagramSender {
    /// The port of an address.
    static func port(_ address: UnsafePointer<sockaddr_storage>) -> Int {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.ss_family) {
        case AF_INET: return Int(raw.load(as: sockaddr_in.self).sin_port.bigEndian)
        case AF_INET6: return Int(raw.load(as: sockaddr_in6.self).sin6_port.bigEndian)
        default: return 0
        }
    }

    /// The address as text, without the port; empty for a process of this machine.
    static func text(_ address: UnsafePointer<sockaddr_storage>) -> [UInt8] {
        let raw = UnsafeRawPointer(address)
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let offset: Int?
        switch Int32(address.pointee.ss_family) {
        case AF_INET: offset = MemoryLayout<sockaddr_in>.offset(of: \.sin_addr)
        case AF_INET6: offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)
        default: offset = nil
        }
        guard let offset,
            inet_ntop(
                Int32(address.pointee.ss_family),
                raw + offset,
                &text,
                socklen_t(text.count)
            ) != nil
        else { return [] }
        return text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }

    /// Whether two addresses are of the same machine; the port does not count.
    static func isSame(
        _ left: UnsafePointer<sockaddr_storage>,
        _ right: UnsafePointer<sockaddr_storage>
    ) -> Bool {
        guard left.pointee.ss_family == right.pointee.ss_family else { return false }
        switch Int32(left.pointee.ss_family) {
        case AF_INET:
            let left = UnsafeRawPointer(left).load(as: sockaddr_in.self).sin_addr.s_addr
            return left == UnsafeRawPointer(right).load(as: sockaddr_in.self).sin_addr.s_addr
        case AF_INET6:
            guard let at = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) else { return false }
            return memcmp(UnsafeRawPointer(left) + at, UnsafeRawPointer(right) + at, 16) == 0
        default: return true
        }
    }
}
