internal import ConnectorSDK

/// What is computed of the records of a group.
internal struct AggregateFunction: Equatable {
    internal enum Kind: String, CaseIterable {
        case count, sum, min, max, avg, first, last, distinct
    }

    /// The name of the result.
    internal var name: String
    internal var kind: Kind
    /// The field it is computed of; `nil` for the records themselves.
    internal var field: String?

    /// Reads `count`, `count(field)` or `sum(field)`.
    internal init(_ name: String, _ text: String) throws(ConnectorError) {
        let key = "aggregates.\(name)"
        let words = text.split(separator: "(", maxSplits: 1)
        let kinds = Kind.allCases.map(\.rawValue)
        guard let word = words.first, let kind = Kind(rawValue: String(word)) else {
            let near = words.first.flatMap { Spelling.nearest(to: String($0), in: kinds) }
            throw .invalid(
                key,
                "The value must be `count` or one of \(kinds.joined(separator: ", ")) of a field, "
                    + "such as `sum(amount)`.",
                hint: near.map { "Did you mean `\($0)`?" }
            )
        }
        self.name = name
        self.kind = kind
        if words.count == 2 {
            let field = words[1].dropLast()
            guard words[1].hasSuffix(")"), !field.isEmpty else {
                throw .invalid(key, "A field stands in brackets, such as `sum(amount)`.")
            }
            self.field = String(field)
        }
        guard field != nil || kind == .count else {
            throw .invalid(key, "`\(kind.rawValue)` is of a field: `\(kind.rawValue)(amount)`.")
        }
    }

    /// The type of the result, where it does not depend on the values.
    internal var type: FieldType {
        switch kind {
        case .count, .distinct: .int64
        case .avg: .double
        case .sum, .min, .max, .first, .last: .any
        }
    }

    /// Why a value cannot be taken; `nil` when it can.
    internal func refusal(of cell: Cell) -> ConnectorError? {
        switch (kind, cell.tag) {
        case (_, .missing), (_, .null), (.count, _): return nil
        case (.sum, .int), (.avg, .int), (.sum, .decimal), (.avg, .decimal): return nil
        case (.sum, .double), (.avg, .double): return nil
        case (.sum, .number), (.avg, .number):
            return LongDecimal(cell.slice) == nil ? refusal("a number of at most 38 digits") : nil
        case (.sum, _), (.avg, _): return refusal("a number")
        case (_, .json): return refusal("a single value")
        default: return nil
        }
    }

    private func refusal(_ wanted: String) -> ConnectorError {
        ConnectorError(
            .init("aggregate.type"),
            .rejectRecord,
            "The field `\(field ?? "")` is not \(wanted), which `\(kind.rawValue)` takes.",
            at: "aggregates.\(name)"
        )
    }
}

/// A decimal of up to 38 digits.
internal struct LongDecimal {
    internal var mantissa: Int128
    /// The digits behind the point, 0 or more.
    internal var scale: Int

    internal init(mantissa: Int128, scale: Int) {
        self.mantissa = mantissa
        self.scale = scale
    }

    /// Reads a number in JSON's grammar; `nil` when it has more digits than fit.
    internal init?(_ text: UnsafeRawBufferPointer) {
        var value: Int128 = 0
        var places = 0, exponent = 0
        var isNegative = false, isBehindPoint = false
        var index = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            switch byte {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "."): isBehindPoint = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                let rest = String(decoding: text[index...], as: UTF8.self)
                guard let number = Int(rest.drop { $0 == "+" }), abs(number) < 1_000 else {
                    return nil
                }
                exponent = number
                index = text.count
            default:
                let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
                let (sum, overflow) = product.addingReportingOverflow(Int128(byte &- 0x30))
                guard !tooLarge, !overflow else { return nil }
                value = sum
                if isBehindPoint { places += 1 }
            }
        }
        mantissa = isNegative ? -value : value
        scale = places - exponent
        if scale < 0 {
            guard let scaled = scaled(to: 0) else { return nil }
            self = scaled
        }
        guard scale <= 38 else { return nil }
    }

    /// The same number with other places behind the point, at least as many; `nil` when too long.
    internal func scaled(to places: Int) -> LongDecimal? {
        var value = mantissa
        guard places - scale <= 38 || value == 0 else { return nil }
        for _ in scale..<max(places, scale) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            value = product
        }
        return LongDecimal(mantissa: value, scale: places)
    }

    /// The sum; `nil` when it is too long.
    internal func adding(_ other: LongDecimal) -> LongDecimal? {
        let places = max(scale, other.scale)
        guard let left = scaled(to: places), let right = other.scaled(to: places) else {
            return nil
        }
        let (sum, overflow) = left.mantissa.addingReportingOverflow(right.mantissa)
        return overflow ? nil : LongDecimal(mantissa: sum, scale: places)
    }

    internal var double: Double {
        guard scale > 0 else { return Double(mantissa) }
        let text = Array(digits.utf8)
        return text.withUnsafeBytes { NumberText.nearest($0) }
    }

    /// The number in plain digits.
    internal var digits: String {
        var text = String(mantissa.magnitude)
        if scale > 0 {
            if text.utf8.count <= scale {
                text = String(repeating: "0", count: scale + 1 - text.utf8.count) + text
            }
            text.insert(".", at: text.index(text.endIndex, offsetBy: -scale))
        }
        return mantissa < 0 ? "-" + text : text
    }
}
