import ConnectorSDK
import SQLiteTables
import Testing

@Suite("SQLite: declared types")
struct DeclaredTypeTests {
    @Test(
        "words promise a type",
        arguments: [
            ("", .any), ("INTEGER", .int64), ("unsigned big int", .int64), ("BIGINT", .int64),
            ("VARCHAR(30)", .string), ("text", .string), ("CLOB", .string),
            ("REAL", .double), ("DOUBLE PRECISION", .double), ("BLOB", .bytes),
            ("BOOLEAN", .bool), ("Bool", .bool), ("NUMERIC", .any), ("DATETIME", .any),
            ("ANY", .any), ("DECIMAL(10,2)", .decimal(precision: 10, scale: 2)),
            ("numeric ( 5 )", .decimal(precision: 5, scale: 0)),
            ("DECIMAL BLOB(38, 9)", .decimal(precision: 38, scale: 9)),
            ("decimal  blob", .decimal(precision: nil, scale: nil)),
            ("DECIMAL", .any), ("DECIMAL(0)", .any), ("DECIMAL(2,3)", .any),
            ("DECIMAL(-5, 2)", .any), ("DECIMAL(99999999999999999999)", .any),
            ("DECIMAL(10,2", .decimal(precision: 10, scale: 2)), ("DECIMAL(", .any),
        ] as [(String, FieldType)]
    )
    func fieldTypes(_ words: String, _ type: FieldType) {
        #expect(DeclaredType(words).fieldType == type)
    }

    @Test(
        "a field's column is declared so that nothing is lost in it (D6)",
        arguments: [
            (.any, ""), (.bool, "BOOLEAN"), (.int16, "INTEGER"), (.int64, "INTEGER"),
            (.float, "REAL"), (.string, "TEXT"), (.uuid, "TEXT"), (.json, "TEXT"),
            (.timestamp, "TEXT"), (.bytes, "BLOB"),
            (.decimal(precision: 15, scale: 2), "DECIMAL(15, 2)"),
            (.decimal(precision: 4, scale: nil), "DECIMAL(4, 0)"),
            (.decimal(precision: 16, scale: 2), "DECIMAL BLOB(16, 2)"),
            (.decimal(precision: 38, scale: 9), "DECIMAL BLOB(38, 9)"),
            (.decimal(precision: nil, scale: nil), "DECIMAL BLOB"),
        ] as [(FieldType, String)]
    )
    func columns(_ type: FieldType, _ words: String) {
        let declared = DeclaredType(for: Field("f", type))
        #expect(declared.text == words)
        // What the column promises is what the field was, as far as SQLite has words for it.
        switch type {
        case .bool, .int64, .string, .bytes, .any: #expect(declared.fieldType == type)
        case .decimal(let precision, let scale):
            let restored = FieldType.decimal(
                precision: precision,
                scale: precision == nil ? nil : scale ?? 0
            )
            #expect(declared.fieldType == restored)
        default: break
        }
    }

    @Test("the words of a SQLite source are declared again, unless the field was changed")
    func nativeTypes() {
        let source = DeclaredType("VARCHAR(30)")
        #expect(source.nativeType == "sqlite.VARCHAR(30)")
        #expect(DeclaredType("").nativeType == nil)
        let same = Field("f", .string, nativeType: source.nativeType)
        #expect(DeclaredType(for: same).text == "VARCHAR(30)")
        let changed = Field("f", .int64, nativeType: source.nativeType)
        #expect(DeclaredType(for: changed).text == "INTEGER")
        let foreign = Field("f", .string, nativeType: "postgres.citext")
        #expect(DeclaredType(for: foreign).text == "TEXT")
    }

    @Test(
        "words that could be anything but a type are no type (D9)",
        arguments: [
            "TEXT); DROP TABLE x; --", "TEXT DEFAULT 5", "TEXT\" , \"y", "TEXT NOT NULL",
            "TEXT(1,2,3)", "TEXT(1 2)", "TEXT(a)", "TEXT(1)x", "TEXT(", "(5)", "5", " TEXT",
            "TEXT CHECK (1)", "TEXT/**/", "TEXT AS (1)", "", String(repeating: "t", count: 200),
        ]
    )
    func noTypes(_ words: String) {
        #expect(DeclaredType(native: "sqlite." + words) == nil)
    }
}
