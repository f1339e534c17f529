import Glibc
import Testing
import Topics

@testable import TopicLog

/// File operations that fail when a test says so.
final class FaultyFiles: Sendable {
    enum Call: Hashable, Sendable {
        case write
        case synchronize
        case truncate
    }

    /// What happens at a call.
    enum Fault: Sendable, CustomTestStringConvertible {
        /// Fails with this `errno`.
        case fail(Int32)
        /// Writes half of the bytes, and fails the next time.
        case short(Int32)

        var testDescription: String {
            switch self {
            case .fail(let code): "fails with \(String(cString: strerror(code)))"
            case .short(let code): "writes half, then \(String(cString: strerror(code)))"
            }
        }
    }

    private struct State {
        var counts: [Call: Int] = [:]
        var faults: [Call: [Int: Fault]] = [:]
        var bytesLeft: Int?
        var hook: (@Sendable (Call) -> Void)?
    }

    private let state = Monitor(State())

    /// Has the `number`-th call from now on, counted from 0, go wrong.
    func inject(_ fault: Fault, into call: Call, number: Int = 0) {
        state.withLock { state in
            let first = state.counts[call, default: 0]
            state.faults[call, default: [:]][first + number] = fault
        }
    }

    /// Lets only so many more bytes be written, as a disk that is nearly full does; `nil` for any.
    func setBytesLeft(_ count: Int?) { state.withLock { $0.bytesLeft = count } }

    /// Calls `hook` before every call.
    func setHook(_ hook: (@Sendable (Call) -> Void)?) { state.withLock { $0.hook = hook } }

    /// How often a call was made.
    func count(_ call: Call) -> Int { state.withLock { $0.counts[call, default: 0] } }

    var operations: FileOperations {
        FileOperations(
            write: { [self] file, bytes, offset in write(file, bytes, offset) },
            synchronize: { [self] file in
                if case .fail(let code)? = next(.synchronize) { return failed(code) }
                return FileOperations.system.synchronize(file)
            },
            truncate: { [self] file, size in
                if case .fail(let code)? = next(.truncate) { return failed(code) }
                return FileOperations.system.truncate(file, size)
            }
        )
    }

    private func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer, _ offset: Int64) -> Int {
        switch next(.write) {
        case .fail(let code)?: return Int(failed(code))
        case .short(let code)?:
            inject(.fail(code), into: .write)
            let half = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)])
            return FileOperations.system.write(file, half, offset)
        case nil: break
        }
        let room = state.withLock { $0.bytesLeft }
        guard let room else { return FileOperations.system.write(file, bytes, offset) }
        if room == 0 { return Int(failed(ENOSPC)) }
        let part = UnsafeRawBufferPointer(rebasing: bytes[..<min(room, bytes.count)])
        let count = FileOperations.system.write(file, part, offset)
        state.withLock { $0.bytesLeft = room - max(count, 0) }
        return count
    }

    private func next(_ call: Call) -> Fault? {
        let hook = state.withLock { $0.hook }
        hook?(call)
        return state.withLock { state in
            let number = state.counts[call, default: 0]
            state.counts[call] = number + 1
            return state.faults[call]?.removeValue(forKey: number)
        }
    }

    private func failed(_ code: Int32) -> Int32 {
        errno = code
        return -1
    }
}
