import ConnectorSDK
import Glibc
import TestServices
import Testing

@testable import PipelineEngine

@Suite("References")
struct ReferenceResolverTests {
    private static let environment = [
        "USER_NAME": "ada", "EMPTY": "", "NESTED": "${env:USER_NAME}",
    ]

    private func resolver(_ directory: String = ".") -> ReferenceResolver {
        ReferenceResolver(baseDirectory: directory) { Self.environment[$0] }
    }

    @Test(
        "environment variables, defaults and everything that is no reference",
        arguments: [
            ("${env:USER_NAME}", "ada"),
            ("a ${env:USER_NAME} b ${env:USER_NAME}", "a ada b ada"),
            ("${env:EMPTY}", ""),
            ("${env:NOPE:fallback}", "fallback"),
            ("${env:NOPE:}", ""),
            ("${env:NOPE:a:b}", "a:b"),
            ("${env:USER_NAME:fallback}", "ada"),
            ("${env:NESTED}", "${env:USER_NAME}"),
            ("${topic}-${env:USER_NAME}-${field:name}", "${topic}-ada-${field:name}"),
            ("${timestamp:yyyy-MM-dd}", "${timestamp:yyyy-MM-dd}"),
        ]
    )
    func texts(_ text: String, _ expected: String) throws {
        #expect(try resolver().resolve(text, of: "key") == expected)
    }

    @Test("files and directories, relative to the pipeline file")
    func files() throws {
        let directory = try TemporaryDirectory()
        try directory.write("# comment\n user = bob \npassword= p=q r\n", to: "db.properties")
        try directory.write("hunter2\n", to: "secrets/token")
        let resolver = resolver(directory.path)
        #expect(try resolver.resolve("${file:db.properties:password}", of: "k") == "p=q r")
        #expect(try resolver.resolve("${file:db.properties:user}", of: "k") == "bob ")
        #expect(try resolver.resolve("${directory:secrets:token}", of: "k") == "hunter2")
        let absolute = "${file:\(directory.path)/db.properties:password}"
        #expect(try resolver.resolve(absolute, of: "k") == "p=q r")
    }

    @Test(
        "an error names the key and the reference",
        arguments: [
            "${env:NOPE}", "${file:nope.properties:key}", "${directory:nope:key}", "${env:NOPE",
            "${file:only}", "${directory:.:../x}", "${file::x}",
        ]
    )
    func errors(_ text: String) throws {
        let error = try #require(throws: ConnectorError.self) {
            try resolver().resolve(text, of: "password")
        }
        #expect(error.configurationKey == "password")
        #expect(error.kind == .configuration)
    }

    @Test("D8: secrets are taken out of errors, the longest first")
    func redaction() throws {
        let directory = try TemporaryDirectory()
        try directory.write("hunter2", to: "short")
        try directory.write("hunter22", to: "long")
        let (values, secrets) = try resolver(directory.path).resolve([
            "url": "postgres://u:${directory:.:short}@h", "other": "${directory:.:long}",
        ])
        #expect(values["url"] == "postgres://u:hunter2@h")
        let error = ConnectorError(
            .init("x.y"),
            .failTask,
            "no login with hunter2 or hunter22",
            hint: "hunter2?",
            underlying: ConnectorError(.init("z"), .failTask, "hunter2")
        )
        let safe = secrets.redact(error)
        #expect(safe.message == "no login with ${directory:.:short} or ${directory:.:long}")
        #expect(!safe.debugDescription.contains("hunter2"))
    }

    @Test("a short value is not worth garbling a message for")
    func shortValues() throws {
        let resolver = ReferenceResolver(baseDirectory: ".") { _ in "on" }
        let (_, secrets) = try resolver.resolve(["flag": "${env:FLAG}"])
        #expect(secrets.redact("the connection is lost") == "the connection is lost")
    }
}
