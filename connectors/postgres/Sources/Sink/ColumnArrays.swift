internal import ConnectorSDK
internal import PostgresClient

/// Rows as one array for each column, in the server's binary form, as UNNEST takes them.
///
/// An array's elements are written as COPY writes fields, so that rows need only be sorted by column.
internal final class ColumnArrays {
    /// More bytes than this go another way: what is sent at once is held as a whole. (D7)
    private static let byteLimit = 4 << 20
    /// Dimensions, flags, the elements' type, their count and the first one's number.
    private static let headerLength = 20

    private let output = OutputBuffer(capacity: 64 << 10)
    /// Of each column, where its array begins, and where its next element goes.
    private var starts: [Int] = []
    private var places: [Int] = []
    private var hasNull: [Bool] = []
    private var isWanted: [Bool] = []

    internal init() {}

    /// Whether the rows of a piece can be sent as arrays.
    internal static func takes(_ piece: BatchWriter.Piece) -> Bool {
        guard piece.form == .binary, piece.data.count <= byteLimit, piece.shape.hasArrays else {
            return false
        }
        // What watches the table is to see each row, also of those that share a key.
        return piece.hasDistinctKeys || !piece.shape.table.hasTriggers
            || piece.shape.kind == .delete
    }

    /// Takes rows in the form of COPY, whose columns have these types; of the columns only those
    /// in `wanted`, if it is given.
    ///
    /// - Returns: the arrays, valid until the next call.
    internal func fill(
        _ rows: UnsafeRawBufferPointer,
        count: Int,
        types: [UInt32],
        wanted: [Int]? = nil
    ) -> [UnsafeRawBufferPointer] {
        isWanted = types.indices.map { wanted?.contains($0) ?? true }
        measure(rows, count, columns: types.count)
        output.count = 0
        let base = output.reserve(starts[types.count])
        for (column, type) in types.enumerated() where isWanted[column] {
            let header = [1, hasNull[column] ? 1 : 0, type, UInt32(count), 1]
            for (index, word) in header.enumerated() {
                base.storeBytes(
                    of: word.bigEndian,
                    toByteOffset: starts[column] + 4 * index,
                    as: UInt32.self
                )
            }
            places[column] = starts[column] + Self.headerLength
        }
        visit(rows, count, columns: types.count) { column, field in
            UnsafeMutableRawBufferPointer(start: base + places[column], count: field.count)
                .copyMemory(from: field)
            places[column] += field.count
        }
        output.count = starts[types.count]
        return types.indices.filter { isWanted[$0] }.map { column in
            UnsafeRawBufferPointer(rebasing: output.bytes[starts[column]..<starts[column + 1]])
        }
    }

    /// Works out where each array goes.
    private func measure(_ rows: UnsafeRawBufferPointer, _ count: Int, columns: Int) {
        places = isWanted.map { $0 ? Self.headerLength : 0 }
        hasNull = Array(repeating: false, count: columns)
        visit(rows, count, columns: columns) { column, field in
            places[column] += field.count
            if field[0] == 0xFF { hasNull[column] = true }
        }
        starts = [0]
        for length in places { starts.append((starts.last ?? 0) + length) }
    }

    /// Hands out each field with its length before it.
    private func visit(
        _ rows: UnsafeRawBufferPointer,
        _ count: Int,
        columns: Int,
        _ body: (Int, UnsafeRawBufferPointer) -> Void
    ) {
        var at = 0
        for _ in 0..<count {
            at += 2
            for column in 0..<columns {
                let length = rows.loadUnaligned(fromByteOffset: at, as: Int32.self).bigEndian
                let end = at + 4 + max(0, Int(length))
                if isWanted[column] {
                    body(column, UnsafeRawBufferPointer(rebasing: rows[at..<end]))
                }
                at = end
            }
        }
    }
}
