public import ConnectorSDK
public import Testing

/// What every source does.
///
/// Pass all cases as the arguments of one test, so that each failure has a name:
/// `@Test(arguments: SourceRequirement.allCases)`.
public enum SourceRequirement: String, CaseIterable, Sendable {
    /// Every record is sent once, and a second run from the last position sends none.
    case readsEverythingOnce
    /// From every position it sends, a new instance goes on with exactly the records behind it.
    case resumesFromEveryPosition
    /// Every batch comes with a position that differs from the one before.
    case positionsAdvanceWithRecords
    /// It lets go of nothing before it is durable. (D1)
    case acknowledgesOnlyAfterDurable
    /// It returns soon after it is told to stop, and another instance reads the rest.
    case stopsWhenAsked
    /// When the answer to a batch is lost, a new instance goes on from what is durable. (D2)
    case survivesALostAnswer
}

/// Bounded input, and how to read it.
public struct SourceScenario {
    /// Makes a new instance over the same input.
    public var makeSource: () throws -> any SourceConnector
    /// How many records there are, each different from the others.
    public var recordCount: Int
    /// Whether the source has let go of any of its input, such as moved a file; `nil` if it never
    /// does.
    public var hasLetGo: (() throws -> Bool)?

    /// Makes a scenario, whose input should give several batches.
    public init(
        recordCount: Int,
        hasLetGo: (() throws -> Bool)? = nil,
        makeSource: @escaping () throws -> any SourceConnector
    ) {
        self.recordCount = recordCount
        self.hasLetGo = hasLetGo
        self.makeSource = makeSource
    }

    /// Checks one requirement, over input that has not been read before.
    public func verify(
        _ requirement: SourceRequirement,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        switch requirement {
        case .readsEverythingOnce: try await readsEverythingOnce(sourceLocation)
        case .resumesFromEveryPosition: try await resumesFromEveryPosition(sourceLocation)
        case .positionsAdvanceWithRecords: try await positionsAdvance(sourceLocation)
        case .acknowledgesOnlyAfterDurable: try await acknowledgesLate(sourceLocation)
        case .stopsWhenAsked: try await stopsWhenAsked(sourceLocation)
        case .survivesALostAnswer: try await survivesALostAnswer(sourceLocation)
        }
    }

    private func run(
        from positions: [String: String] = [:],
        durability: RecordingOutlet.Durability = .atOnce,
        _ script: (RecordingOutlet) -> Void = { _ in }
    ) async throws -> RecordingOutlet {
        let source = try makeSource()
        let outlet = RecordingOutlet(for: source, durability: durability)
        script(outlet)
        do throws(ConnectorError) {
            try await source.run(from: positions, into: outlet)
        } catch {
            // What is held never becomes durable, so a source that settles ends here.
            guard error.code == .cancelled, durability == .held else { throw error }
        }
        return outlet
    }

    private func readsEverythingOnce(_ place: SourceLocation) async throws {
        let first = try await run(durability: .whenSettled)
        #expect(first.records.count == recordCount, sourceLocation: place)
        let second = try await run(from: first.positions)
        #expect(second.records.isEmpty, "read again from the last position", sourceLocation: place)
    }

    private func resumesFromEveryPosition(_ place: SourceLocation) async throws {
        let whole = try await run(durability: .held).sent
        for count in 0...whole.count {
            let rest = try await run(
                from: RecordingOutlet.positions(after: whole.prefix(count)),
                durability: .held
            )
            let wanted = whole.dropFirst(count).flatMap(\.records)
            #expect(
                rest.records == wanted,
                "resumed behind send \(count) of \(whole.count)",
                sourceLocation: place
            )
        }
    }

    private func positionsAdvance(_ place: SourceLocation) async throws {
        let outlet = try await run(durability: .held)
        var previous: SourcePosition?
        for sent in outlet.sent where !sent.records.isEmpty {
            #expect(sent.position != previous, sourceLocation: place)
            previous = sent.position
        }
        #expect(previous != nil, "nothing was sent", sourceLocation: place)
    }

    private func acknowledgesLate(_ place: SourceLocation) async throws {
        guard let hasLetGo else { return }
        // D1: nothing is durable yet, so everything must still be there.
        _ = try await run(durability: .held)
        #expect(try !hasLetGo(), "let go before it was durable", sourceLocation: place)
        _ = try await run(durability: .whenSettled) { outlet in
            // Called by the outlet itself, so it is there.
            outlet.onSettle = { [weak outlet] () throws in
                guard let outlet, outlet.durablePositions.isEmpty else { return }
                let early = try hasLetGo()
                #expect(!early, "let go before it was durable", sourceLocation: place)
            }
        }
        #expect(try hasLetGo(), "never let go of what was durable", sourceLocation: place)
    }

    private func stopsWhenAsked(_ place: SourceLocation) async throws {
        let first = try await run(durability: .whenSettled) { $0.stopAfterSends = 1 }
        #expect(first.records.count < recordCount, "did not stop", sourceLocation: place)
        let second = try await run(from: first.positions)
        let all = first.records + second.records
        #expect(all.count == recordCount, sourceLocation: place)
        #expect(Set(all).count == recordCount, "a record came twice", sourceLocation: place)
    }

    private func survivesALostAnswer(_ place: SourceLocation) async throws {
        let lost = ConnectorError(.init("testing.lost_answer"), .retry(after: nil), "Lost.")
        let source = try makeSource()
        let outlet = RecordingOutlet(for: source)
        outlet.faults[1] = .loseAnswer(lost)
        do throws(ConnectorError) {
            try await source.run(from: [:], into: outlet)
            Issue.record("The error did not come through.", sourceLocation: place)
        } catch {
            #expect(error.code == lost.code, sourceLocation: place)
        }
        let rest = try await run(from: outlet.positions)
        let all = outlet.records + rest.records
        #expect(all.count == recordCount, sourceLocation: place)
    }
}
