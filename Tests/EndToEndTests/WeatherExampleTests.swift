import SQLiteClient
import TestServices
import Testing

/// The example `weather.yaml`, sampled more than once.
@Suite("Weather example", .timeLimit(.minutes(10)))
struct WeatherExampleTests {
    @Test("each observation is one row, however often it is sampled")
    func samples() async throws {
        let directory = try TemporaryDirectory.withPipelines()
        let input = "pipelines/input/weather.json"
        let feed = try directory.read(input)
        for (time, degrees) in [("20:30", "3.4"), ("20:30", "3.4"), ("20:45", "2.9")] {
            try directory.write(
                feed.replacing("20:30", with: time).replacing("3.4", with: degrees),
                to: input
            )
            let result = try await directory.millrace(
                "run",
                "--until-end",
                "pipelines/weather.yaml"
            )
            #expect(result.exitCode == 0, "\(result.errors)")
        }
        let rows = try await directory.bash(
            "sqlite3 pipelines/out/weather.db 'SELECT time, temperature_2m FROM weather ORDER BY 1'"
        )
        #expect(rows.output == "2026-11-21T20:30|3.4\n2026-11-21T20:45|2.9\n")
    }

    @Test("a feed that cannot be reached fails a run of cron, and is said")
    func unreachable() async throws {
        let directory = try TemporaryDirectory.withPipelines()
        _ = try await directory.bash("rm pipelines/input/weather.json")
        let pipeline = try directory.read("pipelines/weather.yaml")
        try directory.write(
            pipeline.replacing("shell: true", with: "shell: true\n    errors.retry.timeout: 0"),
            to: "pipelines/weather.yaml"
        )
        let result = try await directory.millrace("run", "--until-end", "pipelines/weather.yaml")
        #expect(result.exitCode == 1)
        #expect(result.errors.contains("ended with exit code 37"))
        #expect(result.errors.contains("line=\"curl: (37)"))
    }
}
