public import ConnectorSDK
internal import JSONRecords
internal import RecordFields

/// Keeps a part of the records, the same ones each time.
public final class Sample: Transform {
    public static let name = "Sample"
    public static let summary = "Keeps a part of the records: all of some keys, none of the others."
    public static let configuration = ConfigSpec()
        .with(rateKey).with(fieldKey).with(FieldSyntax.key).with(seedKey)

    private static let rateKey = ConfigKey<String>.required(
        "rate",
        help: "Which part of the records is kept, such as `0.01` for one of a hundred.",
        validator: { rate($0) == nil ? "must be a number from 0 to 1" : nil }
    )
    private static let fieldKey = ConfigKey<String?>.optional(
        "field",
        help: """
            The field that decides: records with the same value in it are all kept or all dropped. \
            Without it the key decides, and for records without a key the whole value.
            """
    )
    private static let seedKey = ConfigKey.int(
        "seed",
        default: 0,
        in: 0...Int.max,
        importance: .low,
        help: "With another number others are kept; with the same number the same ones, always."
    )

    private static func rate(_ text: String) -> Double? {
        guard let rate = Double(text), (0...1).contains(rate) else { return nil }
        return rate
    }

    private let path: FieldPath?
    /// Hashes below this are kept; all when `nil`.
    private let threshold: UInt64?
    private let seed: UInt64
    private var derived = DerivedSchema<FieldPlace?>()
    private let scratch = OutputBuffer(capacity: 256)

    public init(configuration: Configuration) throws(ConnectorError) {
        let syntax = try configuration.get(FieldSyntax.key)
        path = try configuration.get(Self.fieldKey).map { text throws(ConnectorError) in
            try FieldPath(text, syntax: syntax, key: "field")
        }
        let rate = Self.rate(try configuration.get(Self.rateKey)) ?? 1
        threshold = rate >= 1 ? nil : UInt64(rate * 18_446_744_073_709_551_616)
        seed = UInt64(truncatingIfNeeded: try configuration.get(Self.seedKey))
    }

    public func trace(_ outline: inout RecordOutline) {
        if let path { outline.need(path.steps, at: Self.fieldKey.declaration.name) }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard let threshold else { return }
        if path != nil { guard batch.requireFields(for: Self.self) else { return } }
        let place = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            path.flatMap { FieldPlace($0, in: schema) }
        }
        batch.filter { row in
            // A deletion has no field to decide by, and must not be lost.
            if path != nil, batch.metadata(row).pointee.isTombstone { return true }
            return hash(row, of: batch, place) < threshold
        }
    }

    private func hash(_ row: Int, of batch: RecordBatch, _ place: FieldPlace?) -> UInt64 {
        var state = StableHash(seed: seed)
        if path != nil {
            add(place?.read(batch.row(row), in: batch) ?? .missing, to: &state)
        } else if let schema = batch.keySchema, let cells = batch.keyRow(row), !cells.pointee.isNil
        {
            for column in 0..<schema.count { add(cells[column], to: &state) }
        } else {
            for column in 0..<batch.schema.count { add(batch.row(row)[column], to: &state) }
        }
        return state.value
    }

    /// A number has one hash, whether it is a number or a text of its digits.
    private func add(_ cell: Cell, to state: inout StableHash) {
        if cell.isSlice { return state.add(cell.slice) }
        scratch.count = 0
        JSONText.appendCell(cell, to: scratch)
        state.add(scratch.bytes)
    }
}

/// A hash that is the same in every process, for ever: FNV-1a with a finish that spreads all bits.
internal struct StableHash {
    private var state: UInt64

    init(seed: UInt64) { state = 0xCBF2_9CE4_8422_2325 ^ (seed &* 0x9E37_79B9_7F4A_7C15) }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        // What follows is another part.
        state = (state ^ 0xFF) &* 0x0000_0100_0000_01B3
    }

    var value: UInt64 {
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
