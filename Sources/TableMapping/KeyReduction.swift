internal import ConnectorSDK

/// Leaves out rows that later rows of the same key supersede.
///
/// Of the rows of one key the last deletion stays, and what is before it is gone with it; of the
/// rows behind it each stays that has a field which some row behind itself has not. Rows that
/// stay are written in steps, so that each step has a key once: first the deletions, then of each
/// key the first row that stays, then the second, and so on.
internal struct KeyReduction {
    private static let setLimit = 256

    private struct Place {
        var step: Int32
        var kind: Int32
        var row: UInt32
    }

    private var places: [Place] = []
    private var kept: [UInt32] = []
    /// For each pair of sets of absent fields, whether what the first lacks the second lacks too.
    private var isSubset: [Int64: Bool] = [:]

    /// Reduces rows that are sorted by key.
    ///
    /// - Parameters:
    ///   - order: the rows; then those that stay, run after run.
    ///   - kinds: what each row is.
    ///   - absentSets: the columns that rows of a kind lack.
    ///   - keys: compares the rows' keys.
    ///   - runs: gets the runs.
    internal mutating func reduce(
        _ order: inout [UInt32],
        _ kinds: [Int32],
        _ absentSets: [[Int]],
        _ keys: KeyOrder,
        into runs: inout [BatchPlanner.Run]
    ) {
        places.removeAll(keepingCapacity: true)
        isSubset.removeAll(keepingCapacity: true)
        var first = 0
        while first < order.count {
            var end = first + 1
            while end < order.count, keys.isSameKey(order[first], order[end]) { end += 1 }
            keep(order[first..<end], kinds, absentSets)
            first = end
        }
        if places.contains(where: { $0.step != places[0].step || $0.kind != places[0].kind }) {
            sort()
        }
        order.removeAll(keepingCapacity: true)
        var start = 0
        for (index, place) in places.enumerated() {
            let isNew =
                index > start
                && (places[start].kind != place.kind || places[start].step != place.step)
            if isNew {
                runs.append(.init(start..<index, places[start].kind))
                start = index
            }
            order.append(place.row)
        }
        if places.count > start { runs.append(.init(start..<places.count, places[start].kind)) }
    }

    /// Keeps what counts of the rows of one key.
    private mutating func keep(
        _ rows: ArraySlice<UInt32>,
        _ kinds: [Int32],
        _ absentSets: [[Int]]
    ) {
        guard rows.count > 1 else {
            if let row = rows.first { add(row, kinds, step: 1) }
            return
        }
        kept.removeAll(keepingCapacity: true)
        for row in rows.reversed() {
            let kind = kinds[Int(row)]
            guard kind != BatchPlanner.deletion else {
                // Whatever was before is gone; what follows begins anew.
                add(row, kinds, step: 1)
                break
            }
            let isSuperseded = kept.contains { later in
                lacksNoMore(kinds[Int(later)], than: kind, absentSets)
            }
            if !isSuperseded { kept.append(row) }
        }
        for (step, row) in kept.reversed().enumerated() {
            add(row, kinds, step: Int32(truncatingIfNeeded: step + 1))
        }
    }

    private mutating func add(_ row: UInt32, _ kinds: [Int32], step: Int32) {
        let kind = kinds[Int(row)]
        places.append(Place(step: kind == BatchPlanner.deletion ? 0 : step, kind: kind, row: row))
    }

    private mutating func lacksNoMore(
        _ later: Int32,
        than earlier: Int32,
        _ absentSets: [[Int]]
    ) -> Bool {
        if later == earlier || later == 0 { return true }
        // D7: with more sets than this, rows rather stay than all pairs of sets be known.
        guard absentSets.count <= Self.setLimit else { return false }
        let pair = Int64(later) << 32 | Int64(earlier)
        if let known = isSubset[pair] { return known }
        let lacks = Set(absentSets[Int(earlier)])
        let result = absentSets[Int(later)].allSatisfy(lacks.contains)
        isSubset[pair] = result
        return result
    }

    /// By step, then kind; rows of one run keep the order of their keys.
    private mutating func sort() {
        // The sort of the standard library is stable, but does not promise it.
        let ranked = places.enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            if a.step != b.step { return a.step < b.step }
            return a.kind != b.kind ? a.kind < b.kind : left.offset < right.offset
        }
        places = ranked.map(\.element)
    }
}
