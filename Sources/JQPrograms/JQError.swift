/// Why a program cannot be had, or did not come to its end.
public struct JQError: Error, Hashable, Sendable {
    /// The kinds of failure.
    public struct Code: Hashable, Sendable {
        /// The code's name, such as `raised`.
        public let name: String

        /// libjq cannot be loaded.
        public static let unavailable = Self(name: "unavailable")
        /// The text is no program.
        public static let syntax = Self(name: "syntax")
        /// No thread can be started.
        public static let thread = Self(name: "thread")
        /// libjq does not take the input, as where values are nested more than 256 deep.
        public static let input = Self(name: "input")
        /// The program raised an error and did not catch it.
        public static let raised = Self(name: "raised")
        /// libjq could not go on with the data.
        public static let refused = Self(name: "refused")
        /// That happened too often, and the program is not run any more.
        public static let exhausted = Self(name: "exhausted")
        /// The program was stopped after its time or memory.
        public static let limit = Self(name: "limit")
    }

    /// What kind of failure it is.
    public let code: Code
    /// The reason, without data of records.
    public let message: String

    internal init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
