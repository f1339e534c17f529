import LogicalReplication

/// Writes messages of `pgoutput` as PostgreSQL's documentation lays them out.
struct MessageBuilder {
    var bytes: [UInt8]

    init(_ type: Character) { bytes = [type.asciiValue ?? 0] }

    func byte(_ value: UInt8) -> Self { with([value]) }
    func int16(_ value: Int16) -> Self { with(value) }
    func int32(_ value: UInt32) -> Self { with(value) }
    func int64(_ value: UInt64) -> Self { with(value) }
    func text(_ text: String) -> Self { with(Array(text.utf8) + [0]) }

    /// A row; `nil` is null, `unchanged` a value that was not sent.
    func row(_ columns: [Column]) -> Self {
        columns.reduce(int16(Int16(columns.count))) { builder, column in
            switch column {
            case .null: builder.with(Array("n".utf8))
            case .unchanged: builder.with(Array("u".utf8))
            case .text(let text):
                builder.with(Array("t".utf8)).int32(UInt32(text.utf8.count)).with(Array(text.utf8))
            case .binary(let bytes):
                builder.with(Array("b".utf8)).int32(UInt32(bytes.count)).with(bytes)
            }
        }
    }

    enum Column: Equatable {
        case null, unchanged
        case text(String)
        case binary([UInt8])

        init(_ column: TupleColumn) {
            switch column.kind {
            case .null: self = .null
            case .unchanged: self = .unchanged
            case .text: self = .text(String(decoding: column.bytes, as: UTF8.self))
            case .binary: self = .binary(Array(column.bytes))
            }
        }
    }

    private func with(_ more: [UInt8]) -> Self {
        var copy = self
        copy.bytes += more
        return copy
    }

    private func with(_ value: some FixedWidthInteger) -> Self {
        withUnsafeBytes(of: value.bigEndian) { with(Array($0)) }
    }
}

extension Tuple {
    var columns: [MessageBuilder.Column] { (0..<count).map { .init(self[$0]) } }
}

extension PgOutputDecoder {
    /// Decodes bytes that stay where they are during `body`.
    @discardableResult
    func decode<Result>(
        _ bytes: [UInt8],
        _ body: (ChangeMessage) -> Result
    ) throws(ReplicationError) -> Result {
        var result: Swift.Result<Result, ReplicationError>?
        bytes.withUnsafeBytes { buffer in
            do throws(ReplicationError) {
                result = .success(body(try decode(buffer)))
            } catch {
                result = .failure(error)
            }
        }
        guard let result else { throw ReplicationError("nothing was decoded") }
        return try result.get()
    }
}
