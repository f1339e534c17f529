/// What becomes of a record that a transform cannot do its work on.
package enum ErrorPolicy: String, CaseIterable, Sendable {
    /// A dead letter, or the end of the task, as `errors.tolerance` says.
    case reject
    /// It passes as it is.
    case keep
}
