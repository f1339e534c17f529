internal import ConnectorSDK
internal import JSONDocuments

/// What a tap offers, as `--discover` prints it, with some of its streams chosen.
struct Catalog {
    private var document: JSONDocument

    /// Reads a catalog; `nil` when the text is none.
    init?(_ text: String) {
        guard let document = JSONDocument(parsingAny: text), document["streams"]?.array != nil
        else {
            return nil
        }
        self.document = document
    }

    /// JSON text.
    var text: String { document.text }

    /// The streams' names.
    var names: [String] { (document["streams"]?.array ?? []).map(Self.name) }

    /// The names of the streams that a tap would read.
    var selectedNames: [String] {
        (document["streams"]?.array ?? []).filter(Self.isSelected).map(Self.name)
    }

    /// Chooses the streams whose names, or ids, `choices` name, `*` for all, and no others.
    ///
    /// - Throws: when a choice names none.
    mutating func select(_ choices: [String]) throws(ConnectorError) {
        let streams = document["streams"]?.array ?? []
        for choice in choices where choice != "*" {
            guard !streams.contains(where: { Self.isNamed($0, choice) }) else { continue }
            throw ConnectorError(
                .init("singer.no_stream"),
                .failTask,
                "The tap has no stream `\(choice)`.",
                kind: .configuration,
                at: "streams",
                hint: Spelling.nearest(to: choice, in: names).map { "Did you mean `\($0)`?" }
                    ?? "It has: \(names.prefix(20).joined(separator: ", "))."
            )
        }
        let chosen = streams.map { stream in
            Self.selecting(
                stream,
                choices.contains("*") || choices.contains { Self.isNamed(stream, $0) }
            )
        }
        document = Self.setting(document, "streams", .array(chosen))
    }

    private static func isSelected(_ stream: JSONDocument) -> Bool {
        let own = (stream["metadata"]?.array ?? [])
            .first { $0["breadcrumb"]?.array?.isEmpty == true }?["metadata"]
        if let selected = own?["selected"]?.bool { return selected }
        return stream["selected"]?.bool ?? stream["schema"]?["selected"]?.bool
            ?? own?["selected-by-default"]?.bool ?? false
    }

    private static func name(_ stream: JSONDocument) -> String {
        stream["stream"]?.string ?? stream["tap_stream_id"]?.string ?? ""
    }

    private static func isNamed(_ stream: JSONDocument, _ name: String) -> Bool {
        stream["stream"]?.string == name || stream["tap_stream_id"]?.string == name
    }

    /// Old taps look at `selected` of the schema, newer ones at the metadata.
    private static func selecting(_ stream: JSONDocument, _ isSelected: Bool) -> JSONDocument {
        var stream = setting(stream, "selected", .bool(isSelected))
        if let schema = stream["schema"] {
            stream = setting(stream, "schema", setting(schema, "selected", .bool(isSelected)))
        }
        var hasOwn = false
        var metadata = (stream["metadata"]?.array ?? []).map { item -> JSONDocument in
            guard item["breadcrumb"]?.array?.isEmpty == true else { return item }
            hasOwn = true
            let inner = setting(item["metadata"] ?? [:], "selected", .bool(isSelected))
            return setting(item, "metadata", inner)
        }
        if !hasOwn {
            metadata.append([
                "breadcrumb": [], "metadata": ["selected": .bool(isSelected)],
            ])
        }
        return setting(stream, "metadata", .array(metadata))
    }

    private static func setting(
        _ object: JSONDocument,
        _ name: String,
        _ value: JSONDocument
    ) -> JSONDocument {
        var fields = (object.fields ?? []).filter { $0.0 != name }
        fields.append((name, value))
        return .object(fields)
    }
}
