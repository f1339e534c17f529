/// The fields that keys or values can have at some point of their way, as far as configurations
/// tell.
///
/// Whatever is not certain is unknown, so whoever asks for a field that some record might have is
/// never told that it is missing.
public struct KnownFields: Hashable, Sendable {
    private enum State: Hashable {
        /// Any fields but these, with the name that each has now, if it is there at all.
        case others([String: String?])
        /// These fields and no others. A record need not have them all.
        case only([Field])
        /// No fields: a text, bytes, a number.
        case none(FieldType)
    }

    private var state: State

    /// Nothing is known.
    public static let unknown = Self(state: .others([:]))

    /// These fields and no others; ``FieldType/any`` where anything may be in one.
    public static func only(_ fields: [Field]) -> Self { Self(state: .only(fields)) }

    /// No fields, but a value of that type.
    public static func none(_ type: FieldType = .any) -> Self { Self(state: .none(type)) }

    /// What is known of records of which some are of one kind and some of another.
    public func united(with other: Self) -> Self {
        if self == other { return self }
        switch (state, other.state) {
        case (.only(let left), .only(let right)):
            var united = self
            for field in right {
                let own = left.first { $0.name == field.name }
                united.add(own == nil || own == field ? field : Field(field.name))
            }
            return united
        case (.others(let left), .others(let right)):
            return Self(state: .others(left.filter { right.keys.contains($0.key) }))
        case (.others(let gone), .only(let fields)), (.only(let fields), .others(let gone)):
            let names = Set(fields.map(\.name))
            return Self(state: .others(gone.filter { !names.contains($0.key) }))
        default:
            return .unknown
        }
    }
}

// MARK: - Changes

extension KnownFields {
    /// A field is there now, in place of one of its name.
    public mutating func add(_ field: Field) {
        switch state {
        case .others(var gone):
            gone[field.name] = nil
            state = .others(gone)
        case .only(var fields):
            if let index = fields.firstIndex(where: { $0.name == field.name }) {
                fields[index] = field
            } else {
                fields.append(field)
            }
            state = .only(fields)
        case .none:
            self = .unknown
        }
    }

    /// A field is not there any more.
    public mutating func remove(_ name: String) { take(name, nowNamed: nil) }

    /// Fields have other names now, old names to new ones.
    public mutating func rename(_ names: [String: String]) {
        let moved = names.mapValues { Field($0) }.merging(
            names.compactMap { old, new in
                field(old).map { (old, Field(new, $0.type, isOptional: $0.isOptional)) }
            }
        ) { $1 }
        for (old, new) in names { take(old, nowNamed: new) }
        for field in moved.values { add(field) }
    }

    /// Only these fields are left of those that there were.
    public mutating func keep(_ names: [String]) {
        self = .only(names.map { field($0) ?? Field($0) })
    }

    /// The value of a field, or one inside of it, is of another type now.
    public mutating func retype(_ path: [String], _ type: FieldType) {
        guard case .only(var fields) = state, let first = path.first,
            let index = fields.firstIndex(where: { $0.name == first })
        else { return }
        // What objects hold is followed only as far as nothing in them changes.
        fields[index].type = path.count == 1 ? type : .any
        state = .only(fields)
    }

    private mutating func take(_ name: String, nowNamed new: String?) {
        switch state {
        case .others(var gone):
            gone[name] = .some(new)
            state = .others(gone)
        case .only(let fields): state = .only(fields.filter { $0.name != name })
        case .none: self = .unknown
        }
    }
}

// MARK: - Questions

extension KnownFields {
    /// All fields that there can be; `nil` when there may be others.
    public var all: [Field]? {
        guard case .only(let fields) = state else { return nil }
        return fields
    }

    /// The type of a value that has no fields; `nil` when it may have some.
    public var wholeType: FieldType? {
        guard case .none(let type) = state else { return nil }
        return type
    }

    /// What is known of a field that is known to be there.
    public func field(_ name: String) -> Field? { all?.first { $0.name == name } }

    /// What is known of what a path leads to; `nil` when nothing is.
    public func field(at path: [String]) -> Field? {
        guard let first = path.first, var field = field(first) else { return nil }
        for step in path.dropFirst() {
            guard case .object(let inner) = field.type,
                let next = inner.first(where: { $0.name == step })
            else { return nil }
            field = next
        }
        return field
    }

    /// Why no record can have a field; `nil` when some might.
    ///
    /// - Parameters:
    ///   - path: the field's name, and those of fields inside of it.
    ///   - part: which part of records this is about.
    /// - Returns: the reason.
    public func absence(of path: [String], part: RecordPart) -> FieldAbsence? {
        guard let first = path.first else { return nil }
        switch state {
        case .none:
            // What is no object goes by the name of its part.
            return first == part.rawValue
                ? nil : FieldAbsence("and the \(part.rawValue) has no fields at that point")
        case .others(let gone):
            guard let name = gone[first] else { return nil }
            return name.map {
                FieldAbsence("which is called `\($0)` at that point", suggestion: $0)
            } ?? FieldAbsence("which was taken out before")
        case .only(let fields):
            return Self.absence(of: path[...], among: fields, inside: [])
        }
    }

    private static func absence(
        of path: ArraySlice<String>,
        among fields: [Field],
        inside outer: [String]
    ) -> FieldAbsence? {
        guard let step = path.first else { return nil }
        if let field = fields.first(where: { $0.name == step }) {
            guard case .object(let inner) = field.type else { return nil }
            return absence(of: path.dropFirst(), among: inner, inside: outer + [step])
        }
        let names = fields.map(\.name)
        let shown = names.prefix(listLimit).map { "`\($0)`" }.joined(separator: ", ")
        let rest = names.count > listLimit ? " and \(names.count - listLimit) more" : ""
        let place = outer.isEmpty ? "" : " in `\(outer.joined(separator: "."))`"
        return FieldAbsence(
            names.isEmpty
                ? "and there are no fields\(place) at that point"
                : "which no record has at that point: the fields\(place) are \(shown)\(rest)",
            suggestion: Spelling.nearest(to: step, in: names)
        )
    }

    /// More names than these help nobody.
    private static let listLimit = 30
}

/// Why a field is certainly missing.
public struct FieldAbsence: Hashable, Sendable {
    /// What to read after the name of the field and a comma.
    public var reason: String
    /// The name that was perhaps meant.
    public var suggestion: String?

    /// Makes a reason.
    public init(_ reason: String, suggestion: String? = nil) {
        self.reason = reason
        self.suggestion = suggestion
    }
}
