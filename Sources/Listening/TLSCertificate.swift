public import ConnectorSDK
internal import Glibc
public import Logging
internal import Synchronization

/// The certificate of a listener, which is read again when its files change.
///
/// Connections that are made after that get the new one; those that are there keep theirs.
public final class TLSCertificate: Sendable {
    private struct State {
        var context: TLSContext
        var renewal: TLSRenewal
        var nextLook: ContinuousClock.Instant
    }

    // Often enough for who waits for it, and a few system calls each time.
    private static let interval = Duration.seconds(1)

    private let files: TLSFiles
    private let state: Mutex<State>

    /// Reads the files.
    public init(_ files: TLSFiles) throws(ConnectorError) {
        self.files = files
        // Looked at before they are read, so that what changes meanwhile is read again.
        let stamps = FileStamp.all(of: files)
        let context = try TLSContext(files)
        state = Mutex(
            State(
                context: context,
                renewal: TLSRenewal(used: stamps),
                nextLook: .now + Self.interval
            )
        )
    }

    /// What new connections get.
    internal var context: TLSContext { state.withLock { $0.context } }

    /// Looks at the files, at most once a second, and reads them when they have changed.
    ///
    /// Files that cannot be used are logged once, and what was read before goes on being used.
    public func renew(logger: Logger) {
        let isChanged = state.withLock { state in
            guard state.nextLook <= .now else { return false }
            state.nextLook = .now + Self.interval
            return state.renewal.isDue(FileStamp.all(of: files))
        }
        guard isChanged else { return }
        do throws(ConnectorError) {
            let context = try TLSContext(files)
            state.withLock { $0.context = context }
            let check = try ListenerChecks.certificate(files, now: time(nil))
            logger.info("certificate renewed", metadata: ["what": "\(check.message)"])
            ListenerChecks.report([check], to: logger)
        } catch {
            logger.warning(
                "the certificate's files have changed and are not used; the one before is kept",
                metadata: ["error": "\(error.message)", "hint": "\(error.hint ?? "")"]
            )
        }
    }
}

/// Decides when files that change one after the other are to be read.
internal struct TLSRenewal {
    private var used: [FileStamp?]
    private var seen: [FileStamp?]?

    /// Begins with the files as they were read.
    init(used: [FileStamp?]) { self.used = used }

    /// Whether the files are to be read as they are now: when they have changed, and not since they
    /// were looked at before, because a certificate is there before its key, or half of it.
    mutating func isDue(_ now: [FileStamp?]) -> Bool {
        guard now != used else {
            seen = nil
            return false
        }
        guard now == seen else {
            seen = now
            return false
        }
        // Also when they turn out to be of no use: that is said once.
        used = now
        seen = nil
        return true
    }
}

/// What tells that a file is another one, or was written to.
internal struct FileStamp: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64
    var size: Int64
    var modified: Int64
    var changed: Int64

    /// Looks at a file, or where a link leads.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        changed = Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
    }

    static func all(of files: TLSFiles) -> [FileStamp?] {
        [files.certificate, files.key, files.clientAuthority].map { $0.flatMap { FileStamp($0) } }
    }
}
