import Foundation

/// Where the things under test are.
public enum Products {
    /// The `millrace` binary of the same build as the tests.
    public static let millrace: String = {
        let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appending(path: "millrace").path()
    }()

    /// The root of the package's sources.
    public static let root: String = {
        let file = URL(filePath: #filePath)
        return file.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().standardizedFileURL.path()
    }()

    /// A Python with the packages of `Tests/requirements.txt`, made by `scripts/setup test`.
    public static var python: String { root + "/.build-python/bin/python" }
}
