import Foundation
import TestServices
import Testing

/// Data that no one here wrote goes file → topic → SQLite and → file, and is compared value by
/// value with what Python's own readers make of it.
@Suite("Real data")
struct RealDataTests {
    struct Input: Sendable, CustomTestStringConvertible {
        var format: String
        var path: String
        var keys: [String] = []
        var testDescription: String { (path as NSString).lastPathComponent }
    }

    static let vega: [Input] = {
        let pattern = Products.root + "/.build-python/lib"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: pattern)) ?? []
        return versions.flatMap { version -> [Input] in
            let folder = "\(pattern)/\(version)/site-packages/vega_datasets/_data"
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.sorted().compactMap { name in
                let format = (name as NSString).pathExtension
                guard ["csv", "json"].contains(format) else { return nil }
                return Input(format: format, path: "\(folder)/\(name)")
            }
        }
    }()

    static let isoCodes: [Input] = {
        let folder = "/usr/share/iso-codes/json"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasPrefix("iso_") }.sorted().map { name in
            let standard = name.dropFirst(4).dropLast(5)
            return Input(
                format: "json",
                path: "\(folder)/\(name)",
                keys: ["record.path=/\(standard)"]
            )
        }
    }()

    static let mimeTypes = Input(
        format: "xml",
        path: "/usr/share/mime/packages/freedesktop.org.xml",
        keys: ["record.path=/mime-info/mime-type"]
    )

    @Test("the data sets are all there")
    func dataSetsAreInstalled() {
        #expect(Self.vega.count >= 15, "vega_datasets: run scripts/setup test")
        #expect(Self.isoCodes.count >= 8, "iso-codes: run scripts/setup test")
        #expect(FileManager.default.fileExists(atPath: Self.mimeTypes.path))
    }

    @Test("arrive as Python reads them", arguments: vega + isoCodes + [mimeTypes])
    func arrives(_ input: Input) async throws {
        let directory = try TemporaryDirectory()
        let script = Products.root + "/Tests/EndToEndTests/compare.py"
        let result = try await Command.run(
            [Products.python, script, Products.millrace, input.format, input.path, directory.path]
                + input.keys,
            in: directory.path
        )
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
    }
}
