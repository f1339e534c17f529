public import ConnectorSDK
internal import FileSystem
internal import Glibc

extension FileSource {
    /// What is named at most in one message.
    private static let examples = 3

    public static func preflight(
        configuration: Configuration,
        context: ConnectorContext
    ) async throws(ConnectorError) -> [PreflightCheck] {
        let settings = try FileSourceSettings(configuration, untilEnd: context.untilEnd)
        var walk = DirectoryWalk()
        for path in [settings.finishedPath, settings.errorPath] {
            if let path { walk.skip(path) }
        }
        let files = walk.files(settings.include).filter { file in
            file.information.kind == .regular
                && !settings.exclude.contains { $0.matches(file.path) }
        }
        var checks = [matches(files, settings)]
        checks += walk.problems.prefix(examples).map { problem in
            PreflightCheck("directories", .warning, problem.connectorError.message, at: "include")
        }
        let refused = files.filter { access($0.path, R_OK) != 0 }.map(\.path)
        if !refused.isEmpty {
            checks.append(
                PreflightCheck(
                    "read access",
                    .failed,
                    "\(refused.count) of the files cannot be read: \(list(refused)).",
                    at: "include",
                    hint: "This process runs as user \(geteuid())."
                )
            )
        } else if !files.isEmpty {
            checks.append(
                PreflightCheck("read access", .passed, "All of them can be read.", at: "include")
            )
        }
        if let follow = settings.follow { checks += followPreflight(walk, follow) }
        return checks + cleanup(files, settings)
    }

    private static func matches(
        _ files: [DirectoryWalk.File],
        _ settings: FileSourceSettings
    ) -> PreflightCheck {
        let bytes = files.reduce(Int64(0)) { $0 &+ $1.information.size }
        let missing = settings.include.filter { pattern in
            pattern.isLiteral && !files.contains { pattern.matches($0.path) }
        }
        if let first = missing.first, settings.pollInterval == nil, settings.follow == nil {
            return PreflightCheck(
                "files",
                .failed,
                "There is no file \(FileSystem.tidy(first.text)).",
                at: "include",
                hint: "Relative paths start from the pipeline file's directory."
            )
        }
        guard !files.isEmpty else {
            return PreflightCheck(
                "files",
                .warning,
                "No file matches.",
                at: "include",
                hint: "Relative paths start from the pipeline file's directory."
            )
        }
        let size = DirectoryPreflight.describe(bytes)
        return PreflightCheck("files", .passed, "\(files.count) match, \(size).", at: "include")
    }

    /// What takes finished files away must be allowed to.
    private static func cleanup(
        _ files: [DirectoryWalk.File],
        _ settings: FileSourceSettings
    ) -> [PreflightCheck] {
        var checks: [PreflightCheck] = []
        if settings.cleanup != .none {
            let directories = Set(files.map { FileSystem.directory(of: $0.path) })
            let refused = directories.filter { access($0, W_OK | X_OK) != 0 }.sorted()
            if !refused.isEmpty {
                checks.append(
                    PreflightCheck(
                        "clean-up",
                        .failed,
                        "Files cannot be taken out of \(list(refused)).",
                        at: "cleanup.policy",
                        hint: "This process runs as user \(geteuid())."
                    )
                )
            }
        }
        if settings.cleanup == .move, let path = settings.finishedPath {
            checks += DirectoryPreflight(path, key: "finished.path").checks
        }
        if let path = settings.errorPath {
            checks += DirectoryPreflight(path, key: "error.path").checks
        }
        return checks
    }

    private static func list(_ paths: [String]) -> String {
        let rest = paths.count - examples
        return paths.prefix(examples).joined(separator: ", ")
            + (rest > 0 ? " and \(rest) more" : "")
    }
}
