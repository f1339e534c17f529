/// A value that a program gives, valid until the program goes on.
public struct JQValue {
    internal let handle: JQProgramHandle

    /// The value as JSON text.
    public var text: UnsafeRawBufferPointer { handle.text }

    /// Whether the value is neither false nor null.
    public var isTrue: Bool { handle.isTrue }

    /// The members of an object; `nil` for another value, and for an object of very many.
    public var members: JQMembers? { handle.members }
}
