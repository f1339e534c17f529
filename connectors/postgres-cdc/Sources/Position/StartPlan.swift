internal import ConnectorSDK
internal import LogicalReplication

/// What to do at start: decided from what is stored, what the server has, and what is asked for.
///
/// A pure decision; every way in which a slot and a position can disagree is a case of a test.
internal struct StartPlan: Equatable {
    /// What becomes of the slot.
    internal enum Slot: Equatable {
        /// It is there and is read.
        case keep
        /// It has to be made.
        case create
        /// It has lost what it should have kept, and has to be made anew.
        case recreate
        /// None is needed.
        case none
    }

    /// How the tables are read.
    internal enum Snapshot: Equatable {
        /// They are not.
        case none
        /// Before the first change, as they were when the slot was made.
        case exported
        /// While changes are read already: those that are not done, or all.
        case beside(startsOver: Bool)
    }

    internal var slot: Slot
    internal var snapshot: Snapshot
    /// Where to go on; `nil` at the place of the slot.
    internal var position: StreamPosition?
    /// What an operator should know.
    internal var warning: String?

    internal init(
        slot: Slot,
        snapshot: Snapshot,
        position: StreamPosition? = nil,
        warning: String? = nil
    ) {
        self.slot = slot
        self.snapshot = snapshot
        self.position = position
        self.warning = warning
    }

    /// What the decision depends on.
    internal struct Situation {
        internal var mode: SnapshotMode
        internal var mismatch: MismatchStrategy
        internal var slotName: String
        internal var publication = ""
        internal var slot: ReplicationSlot?
        internal var position: StreamPosition?
        /// Whether the slot is dropped at each stop, so that its absence is no surprise.
        internal var dropsSlot = false
        /// Whether all tables were read once.
        internal var isSnapshotDone: Bool
        internal var system: String
        /// The end of the server's log.
        internal var end: LSN
    }

    /// Decides, or says what stands in the way.
    internal static func make(_ now: Situation) throws(ConnectorError) -> StartPlan {
        if now.mode == .initialOnly {
            return StartPlan(slot: .none, snapshot: now.isSnapshotDone ? .none : .exported)
        }
        let beside: Snapshot =
            now.mode == .never || now.isSnapshotDone ? .none : .beside(startsOver: false)
        guard let position = now.position else {
            if now.slot != nil {
                // Made by hand, or by a start that was killed before it had sent anything.
                return StartPlan(slot: .keep, snapshot: beside)
            }
            return StartPlan(slot: .create, snapshot: now.mode == .never ? .none : .exported)
        }
        if let problem = problem(of: position, now) {
            return try plan(for: problem, position, now)
        }
        return StartPlan(slot: .keep, snapshot: beside, position: position)
    }

    /// Why the changes that follow the stored position cannot be had.
    private enum Problem {
        case slotMissing
        case slotLost
        case slotAhead(LSN)
        case otherServer
        case otherSlot
        case otherPublication
        case serverBehind
    }

    private static func problem(of position: StreamPosition, _ now: Situation) -> Problem? {
        if !position.system.isEmpty, position.system != now.system { return .otherServer }
        if position.slot != now.slotName { return .otherSlot }
        guard let slot = now.slot else { return .slotMissing }
        if slot.walStatus == "lost" { return .slotLost }
        if position.lsn > now.end { return .serverBehind }
        if let confirmed = slot.confirmed, confirmed > position.lsn { return .slotAhead(confirmed) }
        if !position.publication.isEmpty, position.publication != now.publication {
            return .otherPublication
        }
        return nil
    }

    /// Never goes on in silence. (D6)
    private static func plan(
        for problem: Problem,
        _ position: StreamPosition,
        _ now: Situation
    ) throws(ConnectorError) -> StartPlan {
        let error = error(for: problem, position, now)
        // Nothing is missing: it only cannot be told what of a transaction is in the topics.
        if case .otherPublication = problem { throw error }
        if case .slotMissing = problem, now.dropsSlot {
            return StartPlan(slot: .create, snapshot: .none, warning: error.message)
        }
        let isSlotUsable: Bool
        switch problem {
        case .slotMissing, .slotLost: isSlotUsable = false
        case .otherServer, .otherSlot:
            isSlotUsable = now.slot.map { $0.walStatus != "lost" } ?? false
        case .slotAhead, .serverBehind, .otherPublication: isSlotUsable = true
        }
        if now.mode == .whenNeeded {
            let slot: Slot = isSlotUsable ? .keep : now.slot == nil ? .create : .recreate
            let snapshot: Snapshot = slot == .keep ? .beside(startsOver: true) : .exported
            return StartPlan(slot: slot, snapshot: snapshot, warning: error.message)
        }
        guard isSlotUsable, now.mismatch != .fail else { throw error }
        return StartPlan(
            slot: .keep,
            snapshot: now.mismatch == .snapshot ? .beside(startsOver: true) : .none,
            warning: error.message
        )
    }

    private static func error(
        for problem: Problem,
        _ position: StreamPosition,
        _ now: Situation
    ) -> ConnectorError {
        let name = now.slotName
        let again =
            "`snapshot.mode: when_needed` reads all tables again; so does `millrace offsets reset`."
        let choices =
            "`offset.mismatch.strategy: trust_slot` goes on without them, `snapshot` also reads all "
            + "tables again. \(again)"
        switch problem {
        case .slotMissing:
            return CDCError.environment(
                "slot_missing",
                "The slot `\(name)` is gone, and with it the changes since \(position.lsn).",
                at: CDCKeys.slot.declaration.name,
                hint: again
            )
        case .slotLost:
            return CDCError.environment(
                "slot_lost",
                "The slot `\(name)` is lost: the server has removed log that it needed, and with "
                    + "it changes since \(position.lsn).",
                at: CDCKeys.slot.declaration.name,
                hint: "The server's `max_slot_wal_keep_size` was exceeded. \(again)"
            )
        case .slotAhead(let confirmed):
            return CDCError.environment(
                "slot_ahead",
                "The slot `\(name)` begins at \(confirmed), behind the stored position "
                    + "\(position.lsn): it was moved or made anew, and the changes between are gone.",
                at: CDCKeys.mismatch.declaration.name,
                hint: choices
            )
        case .serverBehind:
            return CDCError.environment(
                "server_behind",
                "The server's log ends at \(now.end), before the stored position \(position.lsn): "
                    + "it was restored from a copy, and later changes will look as if they were "
                    + "known.",
                at: CDCKeys.mismatch.declaration.name,
                hint: choices
            )
        case .otherServer:
            return CDCError.environment(
                "other_server",
                "This is another server than the one that the stored position is of.",
                at: "url",
                hint: choices
            )
        case .otherPublication: return otherPublication(position, now)
        case .otherSlot:
            return CDCError.configuration(
                "other_slot",
                "The stored position is of the slot `\(position.slot)`, not of `\(name)`.",
                at: CDCKeys.slot.declaration.name,
                hint: choices
            )
        }
    }

    private static func otherPublication(
        _ position: StreamPosition,
        _ now: Situation
    ) -> ConnectorError {
        CDCError.configuration(
            "other_publication",
            "The connector was stopped within a transaction whose changes were counted by the "
                + "publication `\(position.publication)`, not by `\(now.publication)`.",
            at: CDCKeys.publication.declaration.name,
            hint: "Run with the old publication once until `millrace offsets show` has no "
                + "`commit`, then change it."
        )
    }
}
