internal import CLinux
internal import Glibc
internal import Synchronization

/// Tells what changes in directories, as the kernel's inotify notices it.
///
/// A thread of its own collects the changes, so that the kernel's queue stays short; the owner is
/// woken and takes them. What other machines do to a network file system is not noticed.
public final class DirectoryWatch: Sendable {
    /// What has changed since it was last asked.
    public struct Changes: Sendable {
        /// The paths of entries that were made, removed, renamed or written to.
        public var paths: Set<String> = []
        /// Whether directories came or went, or changes were lost: then all must be looked at.
        public var isIncomplete = false
        /// Whether entries were made, removed or renamed, and not only written to.
        public var hasMoves = false

        /// Whether there are none.
        public var isEmpty: Bool { paths.isEmpty && !isIncomplete }

        /// Makes changes of which there are none.
        public init() {}
    }

    private struct State {
        var changes = Changes()
        var directories: [Int32: String] = [:]
        var descriptors: [String: Int32] = [:]
        var isFinished = false
        /// Where events are read into.
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 8)
    }

    // What happens to entries, and to the directory itself.
    private static let mask = [
        IN_MODIFY, IN_CREATE, IN_MOVED_FROM, IN_MOVED_TO, IN_DELETE, IN_CLOSE_WRITE,
        IN_DELETE_SELF, IN_MOVE_SELF, IN_ONLYDIR,
    ].reduce(UInt32(0)) { $0 | UInt32($1) }
    private static let moves = [IN_CREATE, IN_MOVED_FROM, IN_MOVED_TO, IN_DELETE].reduce(0) {
        $0 | Int($1)
    }
    /// Events that come faster are taken together, so that a busy writer costs little.
    private static let pause: UInt32 = 500

    /// 16,384 events of at most 272 bytes, in buffers of 64 KiB.
    private static let fillings = 80

    private let queue: Int32
    private let stop: Int32
    private let wake: @Sendable () -> Void
    private let state = Mutex(State())

    /// Starts to watch nothing yet.
    ///
    /// - Parameter wake: called on another thread when there are changes after there were none.
    /// - Throws: when the limits of the machine are reached.
    public init(wake: @escaping @Sendable () -> Void) throws(FileSystemError) {
        self.wake = wake
        let queue = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard queue >= 0 else { throw FileSystemError("watch", "directories", errno) }
        let stop = mr_make_event()
        guard stop >= 0 else {
            let number = errno
            close(queue)
            throw FileSystemError("watch", "directories", number)
        }
        self.queue = queue
        self.stop = stop
        let context = Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, Self.entry, context)
        guard code == 0 else {
            // The last reference: closes both.
            Unmanaged<DirectoryWatch>.fromOpaque(context).release()
            throw FileSystemError("watch", "directories", code)
        }
        pthread_detach(thread)
    }

    deinit {
        state.withLock { $0.room.deallocate() }
        close(queue)
        close(stop)
    }

    /// Ends the thread.
    ///
    /// Must be called once; the watch is of no use afterwards.
    public func finish() {
        state.withLock { $0.isFinished = true }
        mr_raise_event(stop)
    }

    /// Watches a directory, which may be watched already; follows a link.
    ///
    /// Where the path leads to another directory than before, that one is watched instead.
    ///
    /// - Returns: whether it was not watched before.
    /// - Throws: when it cannot be watched, such as for the limit of watches.
    @discardableResult
    public func add(_ directory: String) throws(FileSystemError) -> Bool {
        let descriptor = inotify_add_watch(queue, directory, Self.mask)
        guard descriptor >= 0 else { throw FileSystemError("watch", directory, errno) }
        let (isNew, replaced) = state.withLock { state -> (Bool, Int32?) in
            let before = state.descriptors.updateValue(descriptor, forKey: directory)
            // A directory of two names has one watch: the first name counts.
            if state.directories[descriptor] == nil { state.directories[descriptor] = directory }
            guard let before, before != descriptor else { return (before == nil, nil) }
            guard state.directories[before] == directory else { return (true, nil) }
            state.directories[before] = nil
            return (true, before)
        }
        if let replaced { inotify_rm_watch(queue, replaced) }
        return isNew
    }

    /// Watches these directories only.
    public func keepOnly(_ directories: Set<String>) {
        let others = state.withLock { state in
            let others = state.descriptors.filter { !directories.contains($0.key) }
            state.descriptors = state.descriptors.filter { directories.contains($0.key) }
            for (directory, descriptor) in others
            where state.directories[descriptor] == directory {
                // Its other name goes on, if it has one.
                state.directories[descriptor] =
                    state.descriptors.first { $0.value == descriptor }?.key
            }
            return others.values.filter { state.directories[$0] == nil }
        }
        for descriptor in others { inotify_rm_watch(queue, descriptor) }
    }

    /// Takes what has changed since the last call, up to now: what happened before something that
    /// the caller has seen is among it.
    public func take() -> Changes {
        state.withLock { state in
            // As often as the kernel's queue may be filled, and no longer beside busy writers.
            var count = 0
            while count < Self.fillings, collect(&state) { count += 1 }
            defer { state.changes = Changes() }
            return state.changes
        }
    }

    private static let entry:
        @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
            { context in
                if let context {
                    Unmanaged<DirectoryWatch>.fromOpaque(context).takeRetainedValue().runThread()
                }
                return nil
            }

    private func runThread() {
        mr_name_thread("file-watch")
        while !state.withLock({ $0.isFinished }) {
            var waited = [
                pollfd(fd: queue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stop, events: Int16(POLLIN), revents: 0),
            ]
            poll(&waited, 2, -1)
            while true {
                let (isMore, isNews) = state.withLock { state in
                    let wasEmpty = state.changes.isEmpty
                    let isMore = collect(&state)
                    return (isMore, wasEmpty && !state.changes.isEmpty)
                }
                if isNews { wake() }
                guard isMore else { break }
                usleep(Self.pause)
            }
        }
    }

    /// Takes down a buffer of the kernel's events.
    ///
    /// Under the lock, so that no events are on their way when others are asked for.
    ///
    /// - Returns: whether there were any.
    private func collect(_ state: inout State) -> Bool {
        let count = Glibc.read(queue, state.room.baseAddress, state.room.count)
        guard count > 0 else { return false }
        let bytes = UnsafeRawBufferPointer(rebasing: state.room[..<count])
        let header = MemoryLayout<inotify_event>.size
        var place = 0
        while place + header <= bytes.count {
            let event = bytes.loadUnaligned(fromByteOffset: place, as: inotify_event.self)
            let end = place + header + Int(event.len)
            guard end <= bytes.count else { break }
            let name = bytes[(place + header)..<end].prefix { $0 != 0 }
            note(event, String(validating: name, as: UTF8.self), &state)
            place = end
        }
        return true
    }

    private func note(_ event: inotify_event, _ name: String?, _ state: inout State) {
        let mask = Int(event.mask)
        if mask & Int(IN_Q_OVERFLOW) != 0 {
            state.changes.isIncomplete = true
            return
        }
        guard let directory = state.directories[event.wd] else { return }
        if mask & Int(IN_IGNORED) != 0 || mask & Int(IN_MOVE_SELF) != 0 {
            // The directory is gone, or has another name: whatever has this name now is watched
            // when it is found.
            state.directories[event.wd] = nil
            if state.descriptors[directory] == event.wd { state.descriptors[directory] = nil }
            if mask & Int(IN_IGNORED) == 0 { inotify_rm_watch(queue, event.wd) }
            state.changes.isIncomplete = true
            return
        }
        guard let name, !name.isEmpty else { return }
        if mask & Int(IN_ISDIR) != 0 { state.changes.isIncomplete = true }
        if mask & Self.moves != 0 { state.changes.hasMoves = true }
        state.changes.paths.insert(FileSystem.join(directory, name))
    }
}
