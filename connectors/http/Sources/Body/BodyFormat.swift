/// What a request's body is taken for.
enum BodyFormat: String, CaseIterable, Sendable {
    /// What its content type says.
    case auto
    /// JSON: a document, an array of records, or several documents.
    case json
    /// A JSON document on each line.
    case ndjson
    /// A line is a record.
    case lines
    /// The fields of a form are one record.
    case form
}
