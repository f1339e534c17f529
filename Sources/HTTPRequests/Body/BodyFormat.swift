/// What a request's body is taken for.
public enum BodyFormat: String, CaseIterable, Sendable {
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

    /// What a content type says, JSON where there is none; `nil` for any other.
    public init?(contentType type: String?) {
        guard let type else {
            self = .json
            return
        }
        let name = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        switch name {
        case "application/json": self = .json
        case "application/x-ndjson", "application/ndjson", "application/jsonl",
            "application/x-jsonlines", "application/json-lines":
            self = .ndjson
        case "application/x-www-form-urlencoded": self = .form
        case "text/plain": self = .lines
        default:
            guard name.hasSuffix("+json") else { return nil }
            self = .json
        }
    }
}

/// How a body is compressed.
public enum BodyEncoding: String, Sendable {
    /// Not at all.
    case identity
    /// As gzip does.
    case gzip
    /// In the format of zlib, which HTTP calls deflate.
    case deflate
    /// As zstd does.
    case zstd

    /// What a content encoding says; `nil` when it is none of these.
    public init?(contentEncoding encoding: String?) {
        let name = encoding?.lowercased() ?? BodyEncoding.identity.rawValue
        self.init(rawValue: name == "x-gzip" ? BodyEncoding.gzip.rawValue : name)
    }
}
