import PostgresClient
import TestServices
import Testing

@Suite("PostgreSQL queries")
struct QueryTests {
    let connection: PostgresConnection

    init() throws { connection = try PostgresConnection(PostgresServer.shared().settings()) }

    @Test("a query gives columns, rows and nulls as text and as binary")
    func rows() throws {
        let sql = "SELECT 7::int4 AS seven, 'ü'::text AS letter, NULL::int8 AS nothing"
        let text = try connection.query(sql)
        #expect(text.columns.map(\.name) == ["seven", "letter", "nothing"])
        #expect(text.columns.map(\.type) == [23, 25, 20])
        #expect(text.string(0, 0) == "7" && text.string(0, 1) == "ü")
        #expect(text.isNull(0, 2) && text.string(0, 2) == nil && text.isNull(5, 0))
        let binary = try connection.query(sql, format: .binary)
        #expect(Array(binary.bytes(0, 0)) == [0, 0, 0, 7])
    }

    @Test("parameters travel as text or binary, also to prepared statements")
    func parameters() throws {
        let parameters: [PostgresParameter] = [.int(40), .binary([0, 0, 0, 2], type: 23), .null]
        let sql = "SELECT $1::int4 + $2, $3::text IS NULL"
        let direct = try connection.query(sql, parameters)
        #expect(direct.int(0, 0) == 42 && direct.bool(0, 1) == true)
        try connection.prepare("sum", sql)
        for _ in 0..<3 {
            #expect(try connection.queryPrepared("sum", parameters).int(0, 0) == 42)
        }
    }

    @Test("an error has its SQLSTATE and the objects at fault, and its description no row")
    func errors() throws {
        try connection.execute("CREATE TEMP TABLE t (id int PRIMARY KEY, n int NOT NULL)")
        let failure = #expect(throws: PostgresFailure.self) {
            try connection.execute("INSERT INTO t VALUES (4711, 1), (4711, 2)")
        }
        #expect(failure?.state == .uniqueViolation && failure?.constraint == "t_pkey")
        #expect(failure?.table == "t" && failure?.isTransient == false)
        #expect(failure?.detail?.contains("4711") == true)
        #expect(failure.map { !$0.description.contains("4711") } == true)
        let null = #expect(throws: PostgresFailure.self) {
            try connection.execute("INSERT INTO t VALUES (1, NULL)")
        }
        #expect(null?.state == .notNullViolation && null?.column == "n")
        #expect(connection.transactionStatus == .idle)
    }

    @Test("statements in one text are one transaction, and say how many rows they changed")
    func severalStatements() throws {
        let result = try connection.execute(
            "CREATE TEMP TABLE several (n int); INSERT INTO several SELECT generate_series(1, 5)"
        )
        #expect(result.affectedRows == 5 && result.commandTag == "INSERT 0 5")
        #expect(throws: PostgresFailure.self) {
            try connection.execute("INSERT INTO several VALUES (6); SELECT 1 / 0")
        }
        #expect(try connection.execute("SELECT count(*) FROM several").int(0, 0) == 5)
    }

    @Test("a pipeline answers in order, and an error takes all of it back")
    func pipeline() throws {
        try connection.execute("CREATE TEMP TABLE piped (n int)")
        let results = try connection.pipeline { pipeline throws(PostgresFailure) in
            for number in 0..<500 {
                try pipeline.query("INSERT INTO piped VALUES ($1)", [.int(Int64(number))])
            }
            try pipeline.query("SELECT count(*) FROM piped")
        }
        #expect(results.count == 501 && results.last?.int(0, 0) == 500)
        let failure = #expect(throws: PostgresFailure.self) {
            try connection.pipeline { pipeline throws(PostgresFailure) in
                try pipeline.query("DELETE FROM piped")
                try pipeline.query("SELECT 1 / 0")
                try pipeline.query("SELECT 1")
            }
        }
        #expect(failure?.state.rawValue == "22012")
        #expect(try connection.execute("SELECT count(*) FROM piped").int(0, 0) == 500)
    }

    @Test("COPY takes text and binary from the caller's memory, in pieces of any size")
    func copyIn() throws {
        try connection.execute("CREATE TEMP TABLE copied (n int, t text)")
        #expect(try connection.startCopyIn("COPY copied FROM STDIN") == [.text, .text])
        for piece in ["1\tone\n2\tt", "wo\n3\t", "\\N\n"] {
            try Array(piece.utf8).withUnsafeBytes { try connection.copyData($0) }
        }
        #expect(try connection.endCopyIn() == 3)

        try connection.startCopyIn("COPY copied FROM STDIN (FORMAT binary)")
        var data: [UInt8] =
            Array("PGCOPY\n".utf8) + [0xff, 13, 10, 0] + Array(repeating: 0, count: 8)
        data += [0, 2, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4] + Array("four".utf8) + [0xff, 0xff]
        try data.withUnsafeBytes { try connection.copyData($0) }
        #expect(try connection.endCopyIn() == 1)
        let sum = try connection.execute("SELECT sum(n), string_agg(t, ',' ORDER BY n) FROM copied")
        #expect(sum.int(0, 0) == 10 && sum.string(0, 1) == "one,two,four")
    }

    @Test("a COPY that is refused or given up leaves nothing, and the connection works on")
    func copyFails() throws {
        try connection.execute("CREATE TEMP TABLE strict (n int PRIMARY KEY)")
        try connection.startCopyIn("COPY strict FROM STDIN")
        try Array("1\nx\n".utf8).withUnsafeBytes { try connection.copyData($0) }
        let failure = #expect(throws: PostgresFailure.self) { try connection.endCopyIn() }
        #expect(failure?.state.rawValue == "22P02")
        try connection.startCopyIn("COPY strict FROM STDIN")
        try Array("1\n".utf8).withUnsafeBytes { try connection.copyData($0) }
        try connection.abortCopyIn()
        #expect(try connection.execute("SELECT count(*) FROM strict").int(0, 0) == 0)
    }

    @Test("COPY gives rows one by one, to the end or until it is abandoned")
    func copyOut() throws {
        try connection.startCopyOut("COPY (SELECT generate_series(1, 3)) TO STDOUT")
        var lines: [String] = []
        while let row = try connection.nextCopyRow() {
            lines.append(String(decoding: row, as: UTF8.self))
        }
        #expect(lines == ["1\n", "2\n", "3\n"])

        try connection.startCopyOut("COPY (SELECT generate_series(1, 10000000)) TO STDOUT")
        _ = try connection.nextCopyRow()
        try connection.abandonCopyOut()
        #expect(try connection.execute("SELECT 1").int(0, 0) == 1)
    }

    @Test("names and literals are quoted")
    func quoting() throws {
        let name = #"odd "name"; DROP"#
        let sql = "SELECT \(SQLText.literal(#"it's \ fine"#)) AS \(SQLText.identifier(name))"
        let result = try connection.execute(sql)
        #expect(result.string(0, 0) == #"it's \ fine"# && result.columns[0].name == name)
    }
}
