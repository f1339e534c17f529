import ArgumentParser
import Topics

/// What becomes of what a connector's transforms remember when its place changes.
enum StateChoice: String, CaseIterable, ExpressibleByArgument {
    case drop, keep, only

    static var help: ArgumentHelp {
        """
        What becomes of what transforms such as Aggregate remember: drop (the default when a \
        connector starts over), keep, or only: forget it, and leave the place alone.
        """
    }

    /// Whether what is remembered goes; refuses to choose where either may be wrong.
    static func forgets(
        _ choice: StateChoice?,
        _ connector: String,
        in store: any TopicStore
    ) throws -> Bool {
        guard try !store.transformStates(of: connector).isEmpty else { return false }
        guard let choice else {
            throw Failure.usage(
                "Transforms of `\(connector)` remember earlier records, which would count twice or "
                    + "be missing at another place.",
                hint: "--state drop forgets them, --state keep keeps them as they are."
            )
        }
        return choice == .drop
    }

    /// Forgets what is remembered.
    static func forget(_ connector: String, in store: any TopicStore) throws {
        guard try store.removeTransformStates(of: connector) > 0 else {
            throw Failure.usage("Transforms of `\(connector)` remember nothing.")
        }
    }
}
