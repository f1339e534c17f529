import ConnectorSDK
import JSONRecords
import Testing

@Suite("Union schema")
struct UnionSchemaTests {
    /// Parses records into one batch; `nil` for the first that conflicts.
    private func names(_ records: [String], with parser: JSONRecordParser = .init()) -> [String]? {
        let batch = RecordBatch()
        parser.begin(batch)
        for text in records {
            let chunk = Chunk(copying: Array(text.utf8))
            batch.retain(chunk)
            let bytes = UnsafeRawBufferPointer(start: chunk.base, count: chunk.capacity)
            switch parser.append(bytes, to: batch) {
            case .parsed: continue
            case .conflict: return nil
            case .invalid(let error):
                Issue.record("\(text): \(error)")
                return []
            }
        }
        return batch.schema.names
    }

    @Test(
        "joins the fields of all records, each record's own order kept",
        arguments: [
            ([#"{"a":1,"b":2}"#, #"{"a":1,"b":2}"#], ["a", "b"]),
            ([#"{"a":1,"b":2}"#, #"{"b":2}"#, #"{"a":1}"#, "{}"], ["a", "b"]),
            ([#"{"a":1}"#, #"{"a":1,"b":2}"#, #"{"b":1,"c":2}"#], ["a", "b", "c"]),
            ([#"{"a":1,"c":2}"#, #"{"a":1,"b":3,"c":2}"#], ["a", "b", "c"]),
            ([#"{"b":1}"#, #"{"a":0,"b":1,"c":2}"#], ["a", "b", "c"]),
            (["{}", #"{"a":1}"#], ["a"]),
            ([#"{"a":1}"#, "42", #""x""#, "[1]", "null"], ["a", "value"]),
            ([#"{"a":1,"é\"\n":2}"#, #"{"a":1,"\u00e9\u0022\n":2}"#], ["a", "é\"\n"]),
        ]
    )
    func joins(records: [String], expected: [String]) {
        #expect(names(records) == expected)
    }

    @Test(
        "cuts the batch at a record whose order contradicts the schema",
        arguments: [
            [#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#],
            [#"{"a":1,"b":2,"c":3}"#, #"{"c":1,"x":1,"a":2}"#],
            [#"{"a":1,"b":2}"#, #"{"b":1}"#, #"{"b":2,"c":1,"a":1}"#],
        ]
    )
    func cuts(records: [String]) {
        #expect(names(records) == nil)
    }

    @Test("a refused or conflicting record leaves the batch as it was")
    func leavesNoTrace() throws {
        let parser = JSONRecordParser()
        let batch = RecordBatch()
        parser.begin(batch)
        let texts = [
            #"{"a":1,"b":"x"}"#, #"{"b":"y","a":2}"#, #"{"a":1,"b":tru}"#, #"{"a":3,"b":"z"}"#,
        ]
        let chunks = texts.map { Chunk(copying: Array($0.utf8)) }
        let outcomes = chunks.map { chunk in
            batch.retain(chunk)
            return parser.append(
                UnsafeRawBufferPointer(start: chunk.base, count: chunk.capacity),
                to: batch
            )
        }
        #expect(outcomes[0] == .parsed && outcomes[1] == .conflict && outcomes[3] == .parsed)
        #expect(batch.count == 2)
        #expect(batch.value(0, "b") == .string("x"))
        #expect(batch.value(1, "a") == .int(3) && batch.value(1, "b") == .string("z"))
        #expect(Array(batch[metadata: 1].raw) == Array(texts[3].utf8))
    }

    @Test("of fields with one name the last counts, at the place of the first")
    func duplicateNames() {
        let record = ParsedRecord(#"{"a":1,"b":2,"a":3,"b":"x","a":[4]}"#)
        #expect(record.fields == [.init("a", .json("[4]")), .init("b", .string("x"))])
        let parser = JSONRecordParser()
        _ = ParsedRecord(#"{"a":1,"b":2}"#, with: parser)
        #expect(
            ParsedRecord(#"{"a":1,"b":2,"b":null}"#, with: parser).fields == [
                .init("a", .int(1)), .init("b", .null),
            ]
        )
        #expect(ParsedRecord(#"{"a":1,"\u0061":2}"#).fields == [.init("a", .int(2))])
    }

    @Test("equal records have the same schema object in every batch")
    func schemaIsKept() {
        let parser = JSONRecordParser()
        let texts = [#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#]
        var seen: [[Schema]] = [[], []]
        for round in 0..<6 {
            let batch = RecordBatch()
            parser.begin(batch)
            let chunk = Chunk(copying: Array(texts[round % 2].utf8))
            let bytes = UnsafeRawBufferPointer(start: chunk.base, count: chunk.capacity)
            #expect(parser.append(bytes, to: batch) == .parsed)
            seen[round % 2].append(batch.schema)
        }
        #expect(
            seen[0].allSatisfy { $0 === seen[0][0] } && seen[1].allSatisfy { $0 === seen[1][0] }
        )
    }

    // D7: memory stays bounded when every record has names of its own.
    @Test("records with ever new names do not widen batches without end")
    func boundsWidth() {
        let parser = JSONRecordParser()
        var widest = 0
        var next = 0
        for _ in 0..<20 {
            let batch = RecordBatch()
            parser.begin(batch)
            while !batch.isFull {
                let text = "{\"n\(next)\":1,\"m\(next)\":2}"
                next += 1
                let chunk = Chunk(copying: Array(text.utf8))
                batch.retain(chunk)
                let bytes = UnsafeRawBufferPointer(start: chunk.base, count: chunk.capacity)
                guard parser.append(bytes, to: batch) == .parsed else { break }
            }
            widest = max(widest, batch.schema.count)
        }
        #expect(widest < 1_200)
    }
}
