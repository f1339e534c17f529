import LogicalReplication
import Testing

@Suite("pgoutput messages")
struct PgOutputDecoderTests {
    /// One message of each type, with a streamed one where its form differs.
    static let samples: [(name: String, bytes: [UInt8], isStreamed: Bool)] = [
        ("begin", MessageBuilder("B").int64(0x16_0000_0010).int64(5).int32(77).bytes, false),
        ("commit", MessageBuilder("C").byte(0).int64(16).int64(32).int64(7).bytes, false),
        ("origin", MessageBuilder("O").int64(9).text("other").bytes, false),
        ("relation", relation("R").bytes, false),
        ("type", MessageBuilder("Y").int32(9_000).text("shop").text("mood").bytes, false),
        ("insert", MessageBuilder("I").int32(5).ascii("N").row([.text("1"), .null]).bytes, false),
        (
            "update", MessageBuilder("U").int32(5).ascii("N").row([.text("1"), .unchanged]).bytes,
            false
        ),
        (
            "update with key",
            MessageBuilder("U").int32(5).ascii("K").row([.text("1"), .null])
                .ascii("N").row([.text("2"), .text("å")]).bytes, false
        ),
        (
            "update with old row",
            MessageBuilder("U").int32(5).ascii("O").row([.text("1"), .text("")])
                .ascii("N").row([.binary([0, 255]), .null]).bytes, false
        ),
        ("delete by key", MessageBuilder("D").int32(5).ascii("K").row([.text("1")]).bytes, false),
        ("delete", MessageBuilder("D").int32(5).ascii("O").row([.text("1")]).bytes, false),
        ("truncate", MessageBuilder("T").int32(2).byte(3).int32(5).int32(6).bytes, false),
        (
            "message",
            MessageBuilder("M").byte(1).int64(40).text("pre").int32(2).byte(1).byte(0).bytes, false
        ),
        ("stream start", MessageBuilder("S").int32(77).byte(1).bytes, false),
        ("stream stop", MessageBuilder("E").bytes, true),
        ("stream insert", MessageBuilder("I").int32(78).int32(5).ascii("N").row([]).bytes, true),
        ("stream relation", relation(MessageBuilder("R").int32(78)).bytes, true),
        ("stream truncate", MessageBuilder("T").int32(78).int32(0).byte(0).bytes, true),
        (
            "stream commit",
            MessageBuilder("c").int32(77).byte(0).int64(16).int64(32).int64(7).bytes, false
        ),
        ("stream abort", MessageBuilder("A").int32(77).int32(78).bytes, false),
        (
            "parallel stream abort",
            MessageBuilder("A").int32(77).int32(78).int64(1).int64(2).bytes, false
        ),
        (
            "begin prepare",
            MessageBuilder("b").int64(1).int64(2).int64(3).int32(77).text("gid").bytes, false
        ),
        (
            "prepare",
            MessageBuilder("P").byte(0).int64(1).int64(2).int64(3).int32(77).text("gid").bytes,
            false
        ),
        (
            "commit prepared",
            MessageBuilder("K").byte(0).int64(1).int64(2).int64(3).int32(77).text("gid").bytes,
            false
        ),
        (
            "rollback prepared",
            MessageBuilder("r").byte(0).int64(1).int64(2).int64(3).int64(4).int32(77).text("gid")
                .bytes, false
        ),
        (
            "stream prepare",
            MessageBuilder("p").byte(0).int64(1).int64(2).int64(3).int32(77).text("gid").bytes,
            false
        ),
    ]

    static func relation(_ builder: MessageBuilder) -> MessageBuilder {
        builder.int32(5).text("public").text("orders").ascii("d").int16(2)
            .byte(1).text("id").int32(23).int32(.max)
            .byte(0).text("note").int32(25).int32(UInt32(bitPattern: -1))
    }

    static func relation(_ type: Character) -> MessageBuilder { relation(MessageBuilder(type)) }

    private func decoder(isStreamed: Bool = false) -> PgOutputDecoder {
        let decoder = PgOutputDecoder()
        decoder.replay(isStreamed)
        return decoder
    }

    @Test("a message that is cut anywhere, or has a byte too many, is an error", arguments: samples)
    func damaged(_ sample: (name: String, bytes: [UInt8], isStreamed: Bool)) throws {
        try decoder(isStreamed: sample.isStreamed).decode(sample.bytes) { _ in }
        for count in 0..<sample.bytes.count {
            // Without its last part, an abort is one of an earlier version.
            if sample.name == "parallel stream abort", count == 9 { continue }
            #expect(throws: ReplicationError.self, "\(sample.name) cut to \(count)") {
                try decoder(isStreamed: sample.isStreamed)
                    .decode(Array(sample.bytes[..<count])) { _ in }
            }
        }
        #expect(throws: ReplicationError.self) {
            try decoder(isStreamed: sample.isStreamed).decode(sample.bytes + [0]) { _ in }
        }
    }

    @Test(
        "D9: what cannot be is an error",
        arguments: [
            MessageBuilder("?"), MessageBuilder("I").int32(5).ascii("X").row([]),
            MessageBuilder("I").int32(5).ascii("N").int16(-1),
            MessageBuilder("I").int32(5).ascii("N").int16(1).ascii("z"),
            MessageBuilder("I").int32(5).ascii("N").int16(1).ascii("t").int32(0xFFFF_FFFF),
            MessageBuilder("U").int32(5).ascii("K").row([]).ascii("K").row([]),
            MessageBuilder("D").int32(5).ascii("N").row([]),
            MessageBuilder("T").int32(0x7FFF_FFFF).byte(0),
            MessageBuilder("R").int32(5).text("").text("t").ascii("?").int16(0),
            MessageBuilder("R").int32(5).text("").text("t").ascii("d").int16(-7),
            MessageBuilder("M").byte(0).int64(0).text("").int32(0x8000_0000),
        ]
    )
    func impossible(_ message: MessageBuilder) {
        #expect(throws: ReplicationError.self) { try decoder().decode(message.bytes) { _ in } }
    }

    @Test("rows are read with every kind of value")
    func rows() throws {
        let decoder = decoder()
        let bytes = Self.samples.first { $0.name == "update with old row" }?.bytes ?? []
        let columns = try decoder.decode(bytes) { message in
            guard case .update(5, .full) = message else { return [[MessageBuilder.Column]]() }
            return [decoder.oldRow.columns, decoder.newRow.columns]
        }
        #expect(columns == [[.text("1"), .text("")], [.binary([0, 255]), .null]])
        #expect(decoder.newRow[7].kind == .null)
        let wide = MessageBuilder("I").int32(5).ascii("N")
            .row((0..<1_600).map { .text("\($0)") })
        try decoder.decode(wide.bytes) { _ in
            #expect(decoder.newRow.columns.last == .text("1599"))
        }
    }

    @Test("an update without an old row does not show the one before it")
    func noOldRow() throws {
        let decoder = decoder()
        for name in ["update with key", "update"] {
            let bytes = Self.samples.first { $0.name == name }?.bytes ?? []
            try decoder.decode(bytes) { _ in }
        }
        #expect(decoder.oldRow.count == 0)
        #expect(decoder.newRow.hasUnchangedColumns)
    }

    @Test("a table is described with its columns and key")
    func relations() throws {
        let relation = try decoder().decode(Self.relation("R").bytes) { message -> Relation? in
            guard case .relation(let relation) = message else { return nil }
            return relation
        }
        let expected = Relation(
            id: 5,
            namespace: "public",
            name: "orders",
            identity: .primaryKey,
            columns: [.init("id", type: 23, isKey: true), .init("note", type: 25)]
        )
        #expect(relation?.namespace == expected.namespace)
        #expect(relation?.columns.map(\.name) == ["id", "note"])
        #expect(relation?.columns.map(\.isKey) == [true, false])
        #expect(relation?.columns.last == expected.columns.last)
        var cache = RelationCache<Int>()
        cache.set(5, to: 1)
        cache.set(6, to: 2)
        #expect(try cache.value(5) == 1)
        #expect(throws: ReplicationError.self) { try cache.value(7) }
    }

    @Test("within a stream, changes say which subtransaction they belong to")
    func streams() throws {
        let decoder = decoder()
        try decoder.decode(MessageBuilder("S").int32(77).byte(0).bytes) { message in
            guard case .streamStart(77, isFirst: false) = message else {
                Issue.record("\(message)")
                return
            }
        }
        #expect(decoder.isStreaming)
        let insert = MessageBuilder("I").int32(78).int32(5).ascii("N").row([.null]).bytes
        try decoder.decode(insert) { _ in }
        #expect(decoder.transaction == 78)
        try decoder.decode(MessageBuilder("E").bytes) { _ in }
        #expect(!decoder.isStreaming)
        // Now the same bytes are no message: the number is taken for the table's.
        #expect(throws: ReplicationError.self) { try decoder.decode(insert) { _ in } }
    }

    @Test("transactions and two-phase commits carry their places and times")
    func places() throws {
        let found = try Self.samples.filter { !$0.isStreamed }.compactMap { sample in
            try decoder().decode(sample.bytes) { message -> String? in
                switch message {
                case .begin(let begin): "B \(begin.commitLSN) \(begin.transaction) \(begin.time)"
                case .commit(let commit), .streamCommit(_, let commit):
                    "C \(commit.commitLSN) \(commit.endLSN)"
                case .prepare(let step), .beginPrepare(let step), .commitPrepared(let step),
                    .streamPrepare(let step), .rollbackPrepared(let step):
                    "\(step.lsn) \(step.endLSN) \(step.transaction) \(step.name) "
                        + "\(step.time - ReplicationTime.epoch)"
                default: nil
                }
            }
        }
        #expect(
            found == [
                "B 16/10 77 946684800000005", "C 0/10 0/20", "C 0/10 0/20",
                "0/1 0/2 77 gid 3", "0/1 0/2 77 gid 3", "0/1 0/2 77 gid 3", "0/1 0/2 77 gid 4",
                "0/1 0/2 77 gid 3",
            ]
        )
    }
}

extension MessageBuilder {
    func ascii(_ character: Character) -> Self { byte(character.asciiValue ?? 0) }
}
