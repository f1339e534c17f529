import FileSystem
import Testing

@Suite("Glob patterns")
struct GlobPatternTests {
    @Test(
        "match as in a shell",
        arguments: [
            ("*.csv", "a.csv", true), ("*.csv", "dir/a.csv", true), ("*.csv", "a.csvx", false),
            ("dir/*.csv", "dir/a.csv", true), ("dir/*.csv", "dir/sub/a.csv", false),
            ("dir/*.csv", "other/a.csv", false), ("./dir/a", "dir/a", true),
            ("?.txt", "a.txt", true), ("?.txt", "ab.txt", false), ("?.txt", "ü.txt", true),
            ("[a-c]x", "bx", true), ("[a-c]x", "dx", false), ("[!a-c]x", "dx", true),
            ("[^a-c]x", "bx", false), ("[]]x", "]x", true), ("[a-]x", "-x", true),
            ("a{b,c}d", "abd", true), ("a{b,c}d", "acd", true), ("a{b,c}d", "add", false),
            ("{a,b{c,d}}", "bd", true), ("{,x}a", "a", true), ("{a/b,c}/d", "a/b/d", true),
            ("**/a", "a", true), ("**/a", "x/y/a", true), ("x/**", "x/y/z", true),
            ("x/**/z", "x/z", true), ("x/**/z", "x/a/b/z", true), ("x/**/z", "y/a/z", false),
            ("**/a/**/b", "a/a/a/b", true), ("/a/*", "/a/b", true),
            ("*", ".hidden", false), (".*", ".hidden", true), ("**/a", ".git/a", false),
            ("?hidden", ".hidden", false), ("\\*", "*", true), ("\\*", "a", false),
            ("a**b", "axxb", true), ("***", "abc", true), ("*a*b*c*", "xxaxxbxxc", true),
            ("*a*b*c*", "xxaxxcxxb", false), ("", "a", false),
        ]
    )
    func matches(_ pattern: String, _ path: String, _ wanted: Bool) throws {
        #expect(try GlobPattern(pattern).matches(path) == wanted)
    }

    @Test(
        "match a name alone when they are made of it",
        arguments: ["a*b", "[x]", "{a,b}?", "a\\b"]
    )
    func escaped(_ name: String) throws {
        let pattern = try GlobPattern(GlobPattern.escaped(name))
        #expect(pattern.matches(name))
        #expect(!pattern.matches("axb") && !pattern.matches("x") && !pattern.matches("a"))
    }

    @Test("take time that does not explode")
    func hostile() throws {
        let pattern = String(repeating: "*a", count: 50) + "b"
        #expect(try !GlobPattern(pattern).matches(String(repeating: "a", count: 250)))
        let deep = String(repeating: "**/", count: 50) + "b"
        #expect(try !GlobPattern(deep).matches(String(repeating: "a/", count: 500) + "a"))
    }

    @Test(
        "that are torn say what is missing",
        arguments: [
            "[a", "{a,b", "a[]", "[z-a]", "{a,{b}",
            String(repeating: "{a,b}", count: 40),
        ]
    )
    func problems(_ pattern: String) {
        #expect(throws: GlobPattern.Problem.self) { try GlobPattern(pattern) }
    }

    @Test("are split at commas outside of braces and brackets")
    func split() {
        #expect(GlobPattern.split("a, b ,{c,d},[e,f], ") == ["a", "b", "{c,d}", "[e,f]"])
    }
}
