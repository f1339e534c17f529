import Foundation

/// Where the things under test are.
public enum Products {
    private static let folder: URL = {
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent()
    }()

    /// The `millrace` binary of the same build as the tests, with all its assertions.
    public static let millrace = folder.appending(path: "millrace").path()

    /// The `millrace` binary as users have it, built by `scripts/test` before the tests run.
    public static let optimised =
        folder.deletingLastPathComponent().appending(path: "release/millrace").path()

    /// The root of the package's sources.
    public static let root: String = {
        let file = URL(filePath: #filePath)
        return file.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().standardizedFileURL.path()
    }()

    /// A Python with the packages of `Tests/requirements.txt`, made by `scripts/setup test`.
    public static var python: String { root + "/.build-python/bin/python" }

    /// Where the Singer taps and targets of `Tests/singer.txt` are, each in a directory of its own,
    /// made by `scripts/setup test`.
    public static let taps = root + "/.build-python-singer"

    /// `PATH` with those in front.
    public static var pathWithTaps: String {
        let packages = (try? FileManager.default.contentsOfDirectory(atPath: taps)) ?? []
        let own = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return packages.sorted().map { "\(taps)/\($0)/bin:" }.joined() + own
    }
}
