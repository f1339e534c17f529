internal import CChild
internal import Glibc

/// A program that was started, and our ends of its pipes, until all of it is let go of.
struct ChildHandle: ~Copyable {
    let id: pid_t
    private(set) var input: Int32
    private(set) var output: Int32
    private(set) var errors: Int32
    private(set) var ending: ChildEnding?
    /// Whether the id may be another program's by now.
    private var isReleased = false

    /// Writing to a program that has gone away is an error of that write, and must not end this
    /// process; whoever catches the signal keeps it.
    private static let survivesClosedPipes: Void = {
        var current = sigaction()
        guard sigaction(SIGPIPE, nil, &current) == 0,
            unsafeBitCast(current.__sigaction_handler.sa_handler, to: Int.self) == 0
        else { return }
        _ = Glibc.signal(SIGPIPE, SIG_IGN)
    }()

    /// Why a program could not be started.
    struct Failure: Error {
        var code: Int32
        var isDirectory: Bool
    }

    /// Starts a program; our ends of the pipes do not block.
    init(_ command: ChildCommand) throws(Failure) {
        _ = Self.survivesClosedPipes
        let (id, ours) = try Self.launch(command)
        self.id = id
        (input, output, errors) = (ours[0], ours[1], ours[2])
        for end in ours { mr_child_unblock(end) }
        // A full mebibyte, so that a fast writer is not stopped every 64 KiB; less is no error.
        mr_child_widen(output)
    }

    deinit {
        for end in [input, output, errors] where end >= 0 { close(end) }
        guard !isReleased else { return }
        kill(-id, SIGKILL)
        waitpid(id, nil, 0)
    }

    /// Ends what is left of the program and of what it has started, and gives up their id.
    mutating func release() {
        guard !isReleased else { return }
        // What it has started may have outlived it.
        kill(-id, SIGKILL)
        waitpid(id, nil, 0)
        isReleased = true
    }

    mutating func closeInput() { Self.shut(&input) }
    mutating func closeOutput() { Self.shut(&output) }
    mutating func closeErrors() { Self.shut(&errors) }

    /// Sends a signal to the program and everything it has started.
    func signal(_ number: Int32) {
        if !isReleased { kill(-id, number) }
    }

    /// Asks whether the program has ended.
    ///
    /// Its id, which is also its group's, stays its own.
    mutating func checkEnding() -> ChildEnding? {
        if let ending { return ending }
        var value: Int32 = 0
        switch mr_child_ending(id, &value) {
        case 0: return nil
        case 1: ending = .exited(value)
        default: ending = .signalled(value)
        }
        return ending
    }

    private static func shut(_ end: inout Int32) {
        if end >= 0 { close(end) }
        end = -1
    }

    private static func launch(
        _ command: ChildCommand
    ) throws(Failure) -> (id: pid_t, ends: [Int32]) {
        var pipes: [Int32] = []
        for _ in 0..<3 {
            var ends: [Int32] = [-1, -1]
            guard mr_child_pipe(&ends) == 0 else {
                let code = errno
                for end in pipes { close(end) }
                throw Failure(code: code, isDirectory: false)
            }
            pipes += ends
        }
        let theirs = [pipes[0], pipes[3], pipes[5]]
        let ours = [pipes[1], pipes[2], pipes[4]]
        var failure = mr_child_failure()
        let id = start(command, theirs, &failure)
        for end in theirs { close(end) }
        guard id > 0 else {
            for end in ours { close(end) }
            throw Failure(code: failure.error, isDirectory: failure.stage == 1)
        }
        return (id, ours)
    }

    private static func start(
        _ command: ChildCommand,
        _ descriptors: [Int32],
        _ failure: inout mr_child_failure
    ) -> pid_t {
        let environment = command.environment.map { "\($0.key)=\($0.value)" }
        var arguments = command.arguments.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        return mr_child_start(
            &arguments,
            &variables,
            command.directory,
            descriptors,
            &failure
        )
    }
}
