package import ConnectorSDK

extension RecordBatch {
    /// The columns of a part that a transform can find fields in.
    ///
    /// `nil` when there is nothing to do: the records have no keys, or what they have is opaque,
    /// and they were rejected for it.
    package func fields(of part: RecordPart, for transform: any Transform.Type) -> Schema? {
        guard let schema = schema(of: part) else { return nil }
        guard schema.isWhole else { return schema }
        if schema.isOpaque, part == .value {
            _ = requireFields(for: transform)
            return nil
        }
        let what = schema.isOpaque ? "is opaque" : "is no object"
        let error = ConnectorError(
            .noFields,
            .rejectRecord,
            "The transform \(transform.name) needs fields, and the \(part.rawValue) \(what).",
            hint: schema.isOpaque
                ? "Choose a key.converter that gives fields, such as json."
                : "Put it into a field first, with HoistField."
        )
        reject(indices.filter { !lacks(part, row: $0) }.map { (row: $0, error: error) })
        return nil
    }

    /// Gives a part the columns of a schema that differs from its own in names and types only.
    package func adopt(_ schema: Schema, _ part: RecordPart) {
        if schema !== self.schema(of: part) { rename(part, to: schema) }
    }

    /// Rejects rows, each once, with the first reason found, however many there are.
    package func rejectOnce(_ failures: [(row: Int, error: ConnectorError)]) {
        guard !failures.isEmpty else { return }
        var ordered = failures
        ordered.sort { $0.row < $1.row }
        var last = -1
        ordered.removeAll { failure in
            defer { last = failure.row }
            return failure.row == last
        }
        reject(ordered)
    }
}

extension Schema {
    /// Whether all fields declare their types, as those of databases do, and those of plain JSON do
    /// not: then there are no others, whatever comes.
    package var declaresTypes: Bool { !fields.isEmpty && fields.allSatisfy { $0.type != .any } }

    /// The first of some paths that records of this schema cannot have: their types are declared
    /// and do not include it, or they have no fields at all.
    package func undeclared(_ paths: [FieldPath], _ places: [FieldPlace?]) -> FieldPath? {
        let knowsAll = declaresTypes || isWhole
        return zip(paths, places).first { $1.map(\.isUndeclared) ?? knowsAll }?.0
    }
}

extension FieldSyntax {
    /// The paths that the names in a list mean.
    package func paths(_ names: [String], key: String) throws(ConnectorError) -> [FieldPath] {
        var paths: [FieldPath] = []
        for name in names { paths.append(try FieldPath(name, syntax: self, key: key)) }
        return paths
    }
}

/// What Kafka Connect's transforms do about nulls of fields that have a default value.
package enum NullDefaults {
    package static let key = ConfigKey.bool(
        "replace.null.with.default",
        default: true,
        importance: .low,
        help: "Known for configurations of Kafka Connect; fields here have no default values."
    )
}

/// The package of Kafka Connect's transforms.
package let connectPackage = "org.apache.kafka.connect.transforms."
