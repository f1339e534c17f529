import ConnectorSDK
import LogicalReplication
import Testing

@testable import PostgresCDCConnector

/// Every way in which a slot and a position can agree, or not.
@Suite("What happens at start")
struct StartPlanTests {
    /// A connector that stopped in order, and its slot.
    private func situation(
        _ mode: SnapshotMode = .initial,
        _ change: (inout StartPlan.Situation) -> Void = { _ in }
    ) -> StartPlan.Situation {
        var slot = ReplicationSlot(name: "s", plugin: "pgoutput", database: "d")
        slot.confirmed = LSN(90)
        slot.walStatus = "reserved"
        var now = StartPlan.Situation(
            mode: mode,
            mismatch: .fail,
            slotName: "s",
            slot: slot,
            position: StreamPosition(lsn: LSN(100), system: "1", slot: "s"),
            isSnapshotDone: true,
            system: "1",
            end: LSN(200)
        )
        change(&now)
        return now
    }

    @Test("the first start makes the slot, and reads the tables as the mode says")
    func first() throws {
        func plan(_ mode: SnapshotMode) throws -> StartPlan {
            try StartPlan.make(
                situation(mode) {
                    $0.slot = nil
                    $0.position = nil
                    $0.isSnapshotDone = false
                }
            )
        }
        #expect(try plan(.initial) == StartPlan(slot: .create, snapshot: .exported))
        #expect(try plan(.whenNeeded) == StartPlan(slot: .create, snapshot: .exported))
        #expect(try plan(.never) == StartPlan(slot: .create, snapshot: .none))
        #expect(try plan(.initialOnly) == StartPlan(slot: .none, snapshot: .exported))
    }

    @Test("a slot without a position is read from its place, and the tables beside it")
    func slotOnly() throws {
        let now = situation {
            $0.position = nil
            $0.isSnapshotDone = false
        }
        let beside = StartPlan.Snapshot.beside(startsOver: false)
        #expect(try StartPlan.make(now) == StartPlan(slot: .keep, snapshot: beside))
    }

    @Test("a later start goes on at the position, with what is left of the snapshot")
    func later() throws {
        let done = try StartPlan.make(situation())
        #expect(done.slot == .keep && done.snapshot == .none)
        #expect(done.position?.lsn == LSN(100))
        let half = try StartPlan.make(situation { $0.isSnapshotDone = false })
        #expect(half.snapshot == .beside(startsOver: false))
        let never = try StartPlan.make(situation(.never) { $0.isSnapshotDone = false })
        #expect(never.snapshot == .none)
        let only = try StartPlan.make(situation(.initialOnly) { $0.slot = nil })
        #expect(only == StartPlan(slot: .none, snapshot: .none))
    }

    /// Published as DBZ-5739 and risingwave#25993: the slot was recreated, or had lost its log,
    /// and the connector went on without the changes between, in silence.
    @Test(
        "D6: a slot dropped, recreated, lost or behind the offset stops loudly, with a choice",
        arguments: [
            ("slot_missing", "when_needed"), ("slot_lost", "when_needed"),
            ("slot_ahead", "trust_slot"), ("server_behind", "trust_slot"),
            ("other_server", "trust_slot"), ("other_slot", "trust_slot"),
        ]
    )
    func loud(_ reason: String, _ choice: String) throws {
        let now = situation { change(&$0, reason) }
        let error = #expect(throws: ConnectorError.self) { try StartPlan.make(now) }
        #expect(error?.code.rawValue == "postgres_cdc.\(reason)")
        #expect(error?.disposition == .failTask)
        #expect(error?.kind != .runtime)
        #expect(error?.hint?.contains(choice) == true)
        // Asked for, it reads the tables again, and says why.
        let needed = try StartPlan.make(situation(.whenNeeded) { change(&$0, reason) })
        #expect(needed.snapshot != .none)
        #expect(needed.position == nil)
        #expect(needed.warning == error?.message)
        // A slot that has what follows is never thrown away.
        #expect((needed.slot == .keep) == !["slot_missing", "slot_lost"].contains(reason))
    }

    private func change(_ now: inout StartPlan.Situation, _ reason: String) {
        switch reason {
        case "slot_missing": now.slot = nil
        case "slot_lost": now.slot?.walStatus = "lost"
        case "slot_ahead": now.slot?.confirmed = LSN(101)
        case "server_behind": now.end = LSN(99)
        case "other_server": now.system = "2"
        default: now.slotName = "other"
        }
    }

    @Test("whoever asks for it goes on at the slot, and is told what is missing")
    func trust() throws {
        for (strategy, snapshot) in [
            (MismatchStrategy.trustSlot, StartPlan.Snapshot.none),
            (.snapshot, .beside(startsOver: true)),
        ] {
            let plan = try StartPlan.make(
                situation {
                    $0.slot?.confirmed = LSN(101)
                    $0.mismatch = strategy
                }
            )
            #expect(plan.slot == .keep && plan.position == nil)
            #expect(plan.snapshot == snapshot)
            #expect(plan.warning?.contains("0/65") == true)
            // Where there is no slot, there is nothing to trust.
            #expect(throws: ConnectorError.self) {
                try StartPlan.make(
                    situation {
                        $0.slot = nil
                        $0.mismatch = strategy
                    }
                )
            }
        }
    }

    @Test("a slot that is dropped at each stop is made anew")
    func dropped() throws {
        let plan = try StartPlan.make(
            situation {
                $0.slot = nil
                $0.dropsSlot = true
            }
        )
        #expect(plan.slot == .create && plan.snapshot == .none && plan.warning != nil)
    }

    @Test(
        "a slot that belongs to something else is left alone",
        arguments: ["slot_plugin", "slot_database", "slot_two_phase"]
    )
    func defects(_ reason: String) {
        var slot = ReplicationSlot(name: "s", plugin: "pgoutput", database: "d")
        #expect(slot.defect(for: "d") == nil)
        switch reason {
        case "slot_plugin": slot.plugin = "wal2json"
        case "slot_database": slot.database = "other"
        default: slot.isTwoPhase = true
        }
        #expect(slot.defect(for: "d")?.code.rawValue == "postgres_cdc.\(reason)")
        #expect(slot.defect(for: "d")?.configurationKey == "slot.name")
    }
}
