import ConnectorSDK
import PostgresClient
import PostgresRecords
import TestServices
import Testing

@Suite("PostgreSQL values as cells")
struct RoundTripTests {
    private static let prepared = Result {
        let database = try PostgresServer.shared().makeDatabase()
        try database.connect().execute(TypeSample.preparation)
        return database
    }
    let connection: PostgresConnection

    init() throws { connection = try Self.prepared.get().connect() }

    @Test("a value of any type is the same after a cell", arguments: TypeSample.all)
    func roundTrip(_ sample: TypeSample) throws {
        try connection.execute(
            """
            CREATE TEMP TABLE source (n int, v \(sample.type));
            CREATE TEMP TABLE target (n int, v \(sample.type), form text);
            """
        )
        for (number, value) in sample.values.enumerated() {
            try connection.execute("INSERT INTO source VALUES (\(number), \(value))")
        }
        try connection.execute("INSERT INTO source VALUES (-1, NULL)")
        let type = try columnType()
        let batch = RecordBatch()
        try read(type, binary: false, into: batch)
        try write(batch, type, binary: false)
        if type.kind.hasBinary {
            try write(batch, type, binary: true)
            let binary = RecordBatch()
            try read(type, binary: true, into: binary)
            for row in batch.indices {
                // As text, because NaN is not equal to itself.
                #expect("\(Value(binary[row, 1]))" == "\(Value(batch[row, 1]))", "row \(row)")
            }
            try write(binary, type, binary: true, form: "from binary")
        }
        let forms = type.kind.hasBinary ? 3 : 1
        let late = sample.values.filter { $0.contains("294276") }.count
        let expected = (sample.values.count + 1) * forms - late * (forms - 1)
        let result = try connection.execute(
            """
            SELECT count(*), count(*) FILTER (
                WHERE s.v::text IS NOT DISTINCT FROM t.v::text) FROM source s JOIN target t USING (n)
            """
        )
        #expect(result.int(0, 0) == Int64(expected))
        let wrong = try connection.execute(
            """
            SELECT t.form, left(s.v::text, 100), left(t.v::text, 100) FROM source s
            JOIN target t USING (n) WHERE s.v::text IS DISTINCT FROM t.v::text
            """
        )
        for row in 0..<wrong.rowCount {
            Issue.record("\((0..<3).map { wrong.string(row, $0) ?? "NULL" })")
        }
    }

    @Test("a column is declared anew as it was", arguments: TypeSample.all)
    func declaration(_ sample: TypeSample) throws {
        try connection.execute("CREATE TEMP TABLE source (n int, v \(sample.type))")
        let field = try columnType().field("v")
        let declaration = try #require(try ColumnDesign.declaration(of: field, on: connection))
        try connection.execute("CREATE TEMP TABLE copy (v \(declaration))")
        let result = try connection.execute(
            """
            SELECT format_type(a.atttypid, a.atttypmod) = format_type(b.atttypid, b.atttypmod)
            FROM pg_attribute a, pg_attribute b
            WHERE a.attrelid = 'source'::regclass AND b.attrelid = 'copy'::regclass
                AND a.attname = 'v' AND b.attname = 'v'
            """
        )
        #expect(result.bool(0, 0) == true, "declared as \(declaration)")
    }

    @Test("a type that the target does not have is declared by what records know of it")
    func foreignTypes() throws {
        let declared: [(Field, String)] = [
            (Field("v", .string, nativeType: "postgres.elsewhere.mood"), "mood"),
            (Field("v", .string, nativeType: "postgres.missing"), "text"),
            (Field("v", .int64, nativeType: "postgres.int; DROP TABLE x"), "bigint"),
            (Field("v", .json, nativeType: "mongo.array"), "jsonb"),
            (Field("v", .decimal(precision: 9, scale: 2)), "numeric(9,2)"),
            (Field("v", .decimal(precision: 9, scale: 12)), "numeric"),
        ]
        try connection.execute("BEGIN")
        for (field, expected) in declared {
            #expect(try ColumnDesign.declaration(of: field, on: connection) == expected)
        }
        #expect(connection.transactionStatus == .inTransaction)
    }

    // MARK: -

    private func columnType() throws -> ColumnType {
        let result = try connection.execute(
            """
            SELECT atttypid, atttypmod FROM pg_attribute
            WHERE attrelid = 'source'::regclass AND attname = 'v'
            """
        )
        var mapper = TypeMapper()
        return try mapper.type(
            UInt32(clamping: try #require(result.int(0, 0))),
            modifier: Int32(clamping: try #require(result.int(0, 1))),
            on: connection
        )
    }

    /// Reads `source` into a batch of two columns.
    private func read(_ type: ColumnType, binary: Bool, into batch: RecordBatch) throws {
        batch.reset(topic: "t", schema: Schema([Field("n", .int32), type.field("v")]))
        let number = try #require(ColumnType(builtIn: PostgresTypeID.int4, modifier: -1))
        let decoders = [CellDecoder(number), CellDecoder(type)]
        let result = try connection.query(
            "SELECT n, v FROM source ORDER BY n",
            format: binary ? .binary : .text
        )
        for row in 0..<result.rowCount {
            batch.appendRow()
            for column in 0..<2 {
                guard !result.isNull(row, column) else {
                    batch[row, column] = .null
                    continue
                }
                let bytes = batch.arena.copy(result.bytes(row, column))
                let cell =
                    binary
                    ? decoders[column].cell(binary: bytes, &batch.arena)
                    : decoders[column].cell(text: bytes, &batch.arena)
                batch[row, column] = try #require(cell, "\(String(decoding: bytes, as: UTF8.self))")
            }
        }
    }

    private func write(
        _ batch: RecordBatch,
        _ type: ColumnType,
        binary: Bool,
        form: String? = nil
    ) throws {
        let form = form ?? (binary ? "binary" : "text")
        let output = OutputBuffer()
        let field = batch.schema.fields[1]
        let number = try #require(ColumnType(builtIn: PostgresTypeID.int4, modifier: -1))
        let encoders = [CellEncoder(number, from: Field("n")), CellEncoder(type, from: field)]
        var cursor = CopyCursor(output)
        let scratch = OutputBuffer()
        var left = 0
        if binary { CopyBinary.begin(&cursor) }
        for row in batch.indices {
            if binary {
                let start = cursor.count
                cursor.put(Int16(2))
                for column in 0..<2 {
                    let problem = encoders[column].binary(batch[row, column], &cursor)
                    guard problem == .needsServer else {
                        #expect(problem == nil, "\(Value(batch[row, column]))")
                        continue
                    }
                    // Years that only the server's text can say.
                    #expect("\(Value(batch[row, 1]))".contains("294276"))
                    cursor.takeBack(to: start)
                    left += 1
                }
            } else {
                for column in 0..<2 {
                    if column > 0 { output.append("\t") }
                    let problem = encoders[column].text(
                        batch[row, column],
                        scratch: scratch,
                        to: output
                    )
                    #expect(problem == nil, "\(Value(batch[row, column]))")
                }
                output.append("\n")
            }
        }
        if binary {
            CopyBinary.end(&cursor)
            cursor.commit()
        }
        try connection.startCopyIn(
            "COPY target (n, v) FROM STDIN (FORMAT \(binary ? "binary" : "text"))"
        )
        try connection.copyData(output.bytes)
        #expect(try connection.endCopyIn() == batch.count - left)
        try connection.execute("UPDATE target SET form = '\(form)' WHERE form IS NULL")
    }
}
