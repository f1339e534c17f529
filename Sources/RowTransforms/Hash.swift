public import ConnectorSDK
internal import Digests
internal import JSONRecords
internal import RecordFields

/// Puts hashes in place of values, so that persons cannot be told from them.
public final class Hash: Transform {
    public static let name = "Hash"
    public static let summary = "Puts hashes in place of values, such as names of persons."
    public static let configuration = ConfigSpec()
        .with(fieldsKey).with(FieldSyntax.key).with(algorithmKey).with(saltKey).with(errorKey)

    private static let fieldsKey = ConfigKey.list(
        "fields",
        isRequired: true,
        importance: .high,
        help: """
            The fields whose values are replaced by lower-case hexadecimal digits. Null and absent \
            fields stay so. What is no text is hashed as JSON shows it, so that 42 and "42" have \
            the same hash.
            """
    )
    private static let algorithmKey = ConfigKey<Digest.Algorithm>.choice(
        "algorithm",
        default: .sha256,
        help: "The hash function. `sha1` and `md5` are there for the sake of older data only."
    )
    private static let saltKey = ConfigKey<String?>.optional(
        "salt.key",
        help: """
            A secret, such as `${env:HASH_KEY}`, without which nobody can tell the hash of a value \
            (HMAC). Without it who knows or guesses a value knows its hash, too.
            """
    )
    private static let errorKey = ConfigKey<ErrorPolicy>.choice(
        "on.error",
        default: .reject,
        help: """
            What becomes of a record in which a path to a field leads through something that is no \
            object: `reject` makes it a dead letter, `keep` lets it pass, with that value as it is.
            """
    )

    private let paths: [FieldPath]
    private let digest: Digest
    private let onError: ErrorPolicy
    private var derived = DerivedSchema<(schema: Schema, places: [FieldPlace])>()
    private let scratch = OutputBuffer(capacity: 256)

    public init(configuration: Configuration) throws(ConnectorError) {
        let syntax = try configuration.get(FieldSyntax.key)
        var paths: [FieldPath] = []
        for field in try configuration.get(Self.fieldsKey) {
            paths.append(try FieldPath(field, syntax: syntax, key: "fields"))
        }
        self.paths = paths
        let salt = try configuration.get(Self.saltKey)
        if salt?.isEmpty == true { throw .invalid("salt.key", "The secret must not be empty.") }
        let algorithm = try configuration.get(Self.algorithmKey)
        guard let digest = Digest(algorithm, key: salt.map { Array($0.utf8) }) else {
            throw .invalid(
                "algorithm",
                "The OpenSSL of this machine does not allow it.",
                hint: "Use sha256."
            )
        }
        self.digest = digest
        onError = try configuration.get(Self.errorKey)
    }

    public func trace(_ outline: inout RecordOutline) {
        for path in paths {
            outline.need(path.steps, at: Self.fieldsKey.declaration.name)
            outline.value.retype(path.steps, .string)
        }
    }

    public func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.requireFields(for: Self.self) else { return }
        let plan = try derived.plan(for: batch.schema) { schema throws(ConnectorError) in
            makePlan(schema)
        }
        guard !plan.places.isEmpty else { return }
        batch.rename(to: plan.schema)
        var rejected: [(row: Int, error: ConnectorError)] = []
        for row in batch.indices where !batch.metadata(row).pointee.isTombstone {
            for place in plan.places where !replace(place, row, of: batch) {
                guard onError == .reject else { continue }
                rejected.append((row, Self.error(place.path)))
                break
            }
        }
        batch.reject(rejected)
    }

    private func makePlan(_ schema: Schema) -> (schema: Schema, places: [FieldPlace]) {
        let places = paths.compactMap { FieldPlace($0, in: schema) }
        var fields = schema.fields
        for place in places {
            fields[place.column].type = place.isNested ? .json : .string
            if !place.isNested { fields[place.column].nativeType = nil }
        }
        return (schema.retyped(fields), places)
    }

    /// `false` when the path leads through something that is no object.
    private func replace(_ place: FieldPlace, _ row: Int, of batch: RecordBatch) -> Bool {
        let cells = batch.row(row)
        guard let cell = place.read(cells, in: batch) else { return false }
        if cell.isNil { return true }
        var text = cell.slice
        if !cell.isSlice {
            scratch.count = 0
            JSONText.appendCell(cell, to: scratch)
            text = scratch.bytes
            if text.first == UInt8(ascii: "\"") {
                text = .init(rebasing: text.dropFirst().dropLast())
            }
        }
        guard let hash = hash(text, in: batch) else { return false }
        return place.replace(cells, in: batch, with: .slice(.string, hash))
    }

    private func hash(
        _ text: UnsafeRawBufferPointer,
        in batch: RecordBatch
    ) -> UnsafeRawBufferPointer? {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Digest.maximumLength) { hash in
            let count = digest.hash(text, into: hash)
            // D6: a value that cannot be hashed must not become an empty text.
            guard count > 0 else { return nil }
            let digits = batch.arena.allocate(2 * count)
            for index in 0..<count {
                digits.storeBytes(
                    of: Self.digit(hash[index] >> 4),
                    toByteOffset: 2 * index,
                    as: UInt8.self
                )
                digits.storeBytes(
                    of: Self.digit(hash[index] & 15),
                    toByteOffset: 2 * index + 1,
                    as: UInt8.self
                )
            }
            return UnsafeRawBufferPointer(start: digits, count: 2 * count)
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x61 + value - 10
    }

    private static func error(_ path: FieldPath) -> ConnectorError {
        ConnectorError(
            .init("transform.hash"),
            .rejectRecord,
            "The value of \(path) cannot be replaced: what it is in is no object.",
            at: "fields"
        )
    }
}
