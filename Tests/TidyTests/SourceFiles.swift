import Foundation
import TestServices

/// The files of the repository, as the tidy tests see them.
enum SourceFiles {
    /// Swift files, by path from the root.
    static let swift: [String] = list(["Sources", "Tests", "connectors"], suffix: ".swift")

    /// The Swift files of the product itself.
    static let product = swift.filter { !$0.hasPrefix("Tests/") && !$0.contains("/Tests/") }

    /// The Swift files of tests.
    static let tests = swift.filter { $0.hasPrefix("Tests/") || $0.contains("/Tests/") }

    static func list(_ folders: [String], suffix: String) -> [String] {
        folders.flatMap { folder -> [String] in
            let walker = FileManager.default.enumerator(atPath: Products.root + "/" + folder)
            let paths = walker?.allObjects as? [String] ?? []
            return paths.filter { $0.hasSuffix(suffix) }.map { "\(folder)/\($0)" }
        }.sorted()
    }

    static func text(_ path: String) throws -> String {
        let url = URL(filePath: Products.root + "/" + path)
        return String(decoding: try Data(contentsOf: url), as: UTF8.self)
    }

    static func lines(_ path: String) throws -> [Substring] {
        try text(path).split(separator: "\n", omittingEmptySubsequences: false)
    }
}
