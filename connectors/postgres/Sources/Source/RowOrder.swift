internal import ConnectorSDK
internal import PostgresRecords
internal import TableMapping

/// The values that rows are ordered by: where they are in a row, and what the server reads as them.
///
/// Most are columns of the row anyway, so the server need not send them a second time, as text.
internal struct RowOrder {
    private struct Part {
        /// Which of the row's fields.
        var field: Int
        /// Makes a text of the binary form; `nil` where the field is text.
        var decoder: CellDecoder?
    }

    /// What a statement has to give behind the columns.
    internal let selectList: [String]
    private let parts: [Part]

    internal init(
        _ terms: [OrderTerm],
        _ columns: [PostgresTable.Column],
        _ decoders: [CellDecoder]
    ) {
        var parts: [Part] = []
        var texts: [String] = []
        for term in terms {
            let column = columns.firstIndex { $0.name == term.column }
            if let column, let part = Self.own(decoders[column], at: column) {
                parts.append(part)
            } else {
                parts.append(Part(field: columns.count + texts.count))
                texts.append("(\(term.sql))::text")
            }
        }
        selectList = texts
        self.parts = parts
    }

    /// The column's own field, if the server understands what can be made of it for certain: what
    /// a cell holds of a time or a floating-point number is written otherwise.
    private static func own(_ decoder: CellDecoder, at column: Int) -> Part? {
        guard decoder.kind.hasBinary else { return Part(field: column) }
        switch decoder.kind {
        case .int2, .int4, .int8, .oid, .text, .uuid: return Part(field: column, decoder: decoder)
        default: return nil
        }
    }

    /// The values of one row, in memory that is used again for others.
    internal struct Values {
        private var bytes: [UInt8] = []
        /// Where each value ends in ``bytes``.
        private var ends: [Int] = []

        /// Whether there are none.
        internal var isEmpty: Bool { ends.isEmpty }

        internal mutating func removeAll() {
            bytes.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
        }

        fileprivate mutating func append(_ value: UnsafeRawBufferPointer?) {
            if let value { bytes.append(contentsOf: value) }
            ends.append(bytes.count)
        }

        fileprivate func value<Result>(
            _ index: Int,
            _ body: (UnsafeRawBufferPointer) -> Result
        ) -> Result {
            bytes.withUnsafeBytes { all in
                let start = index == 0 ? 0 : ends[index - 1]
                return body(UnsafeRawBufferPointer(rebasing: all[start..<ends[index]]))
            }
        }
    }

    internal typealias Fields = UnsafeMutableBufferPointer<UnsafeRawBufferPointer?>

    /// Whether a row has these values.
    internal func isEqual(_ fields: Fields, _ values: Values) -> Bool {
        guard !values.isEmpty else { return false }
        return parts.indices.allSatisfy { index in
            values.value(index) { value in
                fields[parts[index].field].map { $0.elementsEqual(value) } ?? value.isEmpty
            }
        }
    }

    /// Keeps the values of a row.
    internal func copy(_ fields: Fields, to values: inout Values) {
        values.removeAll()
        for part in parts { values.append(fields[part.field]) }
    }

    /// The values as texts that the server reads as the same values.
    internal func texts(_ values: Values) -> [String] {
        var arena = Arena()
        return parts.indices.map { index in
            values.value(index) { value in
                guard let cell = parts[index].decoder?.cell(binary: value, &arena) else {
                    return String(decoding: value, as: UTF8.self)
                }
                return cell.tag == .int
                    ? String(cell.int64) : String(decoding: cell.slice, as: UTF8.self)
            }
        }
    }
}
