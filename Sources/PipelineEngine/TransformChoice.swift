public import ConnectorSDK

/// A transform as the `type` of a configuration names it.
struct TransformChoice {
    let type: any Transform.Type
    /// The part of the records that it works on, where the name says.
    let part: RecordPart?

    /// The names that a transform goes by: `Cast`, `Cast$Value`, `Cast$Key`, and those of the Java
    /// class whose work it does, with and without its package.
    static func names(of type: any Transform.Type) -> [String] {
        var plain = [type.name]
        if let className = type.className {
            plain.append(className)
            let short = className.split(separator: ".").last.map(String.init)
            if let short, short != type.name { plain.append(short) }
        }
        guard type is any PartTransform.Type else { return plain }
        return plain + plain.flatMap { [$0 + valueSuffix, $0 + keySuffix] }
    }

    private static let keySuffix = "$Key"
    private static let valueSuffix = "$Value"

    /// The transform of a name, if it is one of `types`.
    init?(_ name: String, among types: [any Transform.Type]) {
        guard let type = types.first(where: { Self.names(of: $0).contains(name) }) else {
            return nil
        }
        self.type = type
        part =
            name.hasSuffix(Self.keySuffix) ? .key : name.hasSuffix(Self.valueSuffix) ? .value : nil
    }

    /// Makes an instance.
    func make(_ configuration: Configuration) throws(ConnectorError) -> any Transform {
        guard let part, let type = type as? any PartTransform.Type else {
            return try type.init(configuration: configuration)
        }
        return try type.init(configuration: configuration, part: part)
    }
}

extension PluginCatalog {
    /// All names by which the `type` of a configuration may mean a transform or predicate, its own
    /// first.
    public static func names(of type: any Plugin.Type) -> [String] {
        if let transform = type as? any Transform.Type {
            return TransformChoice.names(of: transform)
        }
        let className = (type as? any Predicate.Type)?.className
        return [type.name] + (className.map { [$0] } ?? [])
    }

    /// The transform that a configuration's `type` names.
    func transform(_ name: String) -> TransformChoice? {
        TransformChoice(name, among: transforms)
    }
}
