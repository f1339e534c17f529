import ConnectorSDK
import Testing

@Suite("Lists in one text")
struct ListTextTests {
    @Test(
        "commas separate items, but not inside braces",
        arguments: [
            ("a,b", ["a", "b"]), (" a , b ,", ["a", "b"]), ("", []), (",,", []),
            ("*.{csv,txt},x", ["*.{csv,txt}", "x"]), ("[0-9]{1,3}", ["[0-9]{1,3}"]),
            ("{a,{b,c}},d", ["{a,{b,c}}", "d"]), ("a{b,c", ["a{b", "c"]), ("a}b,c", ["a}b", "c"]),
        ]
    )
    func items(text: String, items: [String]) {
        #expect(ListText.items(of: text) == items)
    }
}
