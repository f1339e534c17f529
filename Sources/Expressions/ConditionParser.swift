/// A condition as it was written.
internal indirect enum ConditionSyntax: Hashable {
    case compare(ConditionOperand, Comparison, ConditionOperand)
    case truth(ConditionOperand)
    case not(ConditionSyntax)
    case and(ConditionSyntax, ConditionSyntax)
    case or(ConditionSyntax, ConditionSyntax)
}

/// One side of a comparison.
internal enum ConditionOperand: Hashable {
    case field(String)
    case number(String)
    case string(String)
    case bool(Bool)
    case null
}

/// Reads conditions: `not` binds closest, then comparisons, `and`, `or`.
internal struct ConditionParser {
    // So that neither reading nor compiling a condition can exhaust the stack.
    private static let depthLimit = 100

    private var lexer: ConditionLexer
    private var token: ConditionToken
    private var depth = 0
    private var terms = 0

    /// Reads the whole of `text`.
    static func parse(_ text: String) throws(ConditionSyntaxError) -> ConditionSyntax {
        var parser = try ConditionParser(text)
        let condition = try parser.disjunction()
        guard parser.token.kind == .end else {
            throw parser.failure("`and`, `or` or the end is expected")
        }
        return condition
    }

    private init(_ text: String) throws(ConditionSyntaxError) {
        lexer = ConditionLexer(text)
        token = try lexer.next()
    }

    private func failure(_ message: String) -> ConditionSyntaxError {
        ConditionSyntaxError(message: message, position: token.position)
    }

    private mutating func advance() throws(ConditionSyntaxError) { token = try lexer.next() }

    private mutating func take(_ kind: ConditionToken.Kind) throws(ConditionSyntaxError) -> Bool {
        guard token.kind == kind else { return false }
        try advance()
        return true
    }

    private mutating func disjunction() throws(ConditionSyntaxError) -> ConditionSyntax {
        var condition = try conjunction()
        while try take(.or) {
            try countTerm()
            condition = .or(condition, try conjunction())
        }
        return condition
    }

    private mutating func conjunction() throws(ConditionSyntaxError) -> ConditionSyntax {
        var condition = try negation()
        while try take(.and) {
            try countTerm()
            condition = .and(condition, try negation())
        }
        return condition
    }

    private mutating func negation() throws(ConditionSyntaxError) -> ConditionSyntax {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw failure("the condition is nested too deeply") }
        if try take(.not) { return .not(try negation()) }
        guard try take(.open) else { return try comparison() }
        let condition = try disjunction()
        guard try take(.close) else { throw failure("`)` is expected") }
        if case .comparison = token.kind {
            throw failure("what is in parentheses is true or false and cannot be compared")
        }
        return condition
    }

    /// A chain is nested to one side, so its length counts like depth.
    private mutating func countTerm() throws(ConditionSyntaxError) {
        terms += 1
        guard terms <= 1_000 else { throw failure("the condition is too long") }
    }

    private mutating func comparison() throws(ConditionSyntaxError) -> ConditionSyntax {
        let left = try operand()
        guard case .comparison(let comparison) = token.kind else { return .truth(left) }
        try advance()
        let right = try operand()
        if case .comparison = token.kind {
            throw failure("comparisons cannot follow one another; write `and` between them")
        }
        return .compare(left, comparison, right)
    }

    private mutating func operand() throws(ConditionSyntaxError) -> ConditionOperand {
        let operand: ConditionOperand
        switch token.kind {
        case .field(let name): operand = .field(name)
        case .number(let text): operand = .number(text)
        case .string(let text): operand = .string(text)
        case .true: operand = .bool(true)
        case .false: operand = .bool(false)
        case .null: operand = .null
        case .end: throw failure("a field or a value is expected before the end")
        case .comparison, .and, .or, .not, .open, .close:
            throw failure("a field or a value is expected")
        }
        try advance()
        return operand
    }
}
