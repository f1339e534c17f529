import ConnectorSDK
import Testing

@Suite("What is known of fields")
struct KnownFieldsTests {
    private static func only(_ names: String...) -> KnownFields { .only(names.map { Field($0) }) }

    private func absence(_ fields: KnownFields, _ path: String...) -> FieldAbsence? {
        fields.absence(of: path, part: .value)
    }

    @Test("where all fields are known, another is missing, and the likely one is named")
    func known() {
        let fields = Self.only("id", "amount")
        #expect(absence(fields, "amount") == nil)
        #expect(
            absence(fields, "amuont")
                == FieldAbsence(
                    "which no record has at that point: the fields are `id`, `amount`",
                    suggestion: "amount"
                )
        )
        #expect(absence(.only([]), "a")?.reason == "and there are no fields at that point")
    }

    @Test("where nothing is known, nothing is missing but what was taken out or renamed")
    func unknown() {
        var fields = KnownFields.unknown
        #expect(absence(fields, "a") == nil)
        fields.remove("a")
        fields.rename(["b": "c"])
        #expect(absence(fields, "a")?.reason == "which was taken out before")
        #expect(
            absence(fields, "b")
                == FieldAbsence("which is called `c` at that point", suggestion: "c")
        )
        #expect(absence(fields, "c") == nil && absence(fields, "d") == nil)
        fields.add(Field("a"))
        #expect(absence(fields, "a") == nil)
    }

    @Test("fields that change their names with each other are all there")
    func swapped() {
        for fields in [KnownFields.unknown, Self.only("a", "b")] {
            var fields = fields
            fields.rename(["a": "b", "b": "a"])
            #expect(absence(fields, "a") == nil && absence(fields, "b") == nil)
        }
    }

    @Test("what a field holds is followed only where it is known")
    func nested() {
        let inner = FieldType.object([Field("city", .string), Field("geo")])
        var fields = KnownFields.only([Field("home", inner), Field("work")])
        #expect(absence(fields, "home", "city") == nil)
        #expect(absence(fields, "work", "anything") == nil)
        #expect(absence(fields, "home", "geo", "anything") == nil)
        #expect(
            absence(fields, "home", "ctiy")
                == FieldAbsence(
                    "which no record has at that point: the fields in `home` are `city`, `geo`",
                    suggestion: "city"
                )
        )
        fields.retype(["home", "city"], .int64)
        #expect(absence(fields, "home", "ctiy") == nil)
    }

    @Test("a value without fields has none but the one that is called as its part")
    func whole() {
        let fields = KnownFields.none(.string)
        #expect(absence(fields, "a")?.reason == "and the value has no fields at that point")
        #expect(absence(fields, "value") == nil)
        #expect(fields.absence(of: ["value"], part: .key) != nil)
    }

    @Test("where records differ, a field is missing only if it is for all of them")
    func united() {
        var gone = KnownFields.unknown
        gone.remove("a")
        gone.remove("b")
        var other = KnownFields.unknown
        other.remove("b")
        #expect(absence(gone.united(with: other), "a") == nil)
        #expect(absence(gone.united(with: other), "b") != nil)
        #expect(absence(gone.united(with: Self.only("a")), "a") == nil)
        #expect(absence(gone.united(with: Self.only("a")), "b") != nil)
        let both = Self.only("a", "b").united(with: Self.only("b", "c"))
        #expect(both.all?.map(\.name) == ["a", "b", "c"])
        #expect(absence(gone.united(with: .none()), "b") == nil)
        #expect(absence(KnownFields.none().united(with: Self.only("a")), "b") == nil)
    }

    @Test("a field that is of several types may be of any")
    func unitedTypes() {
        let object = KnownFields.only([Field("a", .object([Field("b")]))])
        let united = object.united(with: .only([Field("a", .int64)]))
        #expect(united.all == [Field("a")])
        #expect(absence(united, "a", "c") == nil)
    }
}
