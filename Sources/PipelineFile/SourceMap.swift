/// Where in a pipeline file each key and each value stands.
///
/// Paths are the flat ones the rest of the program uses: `sources.inbox.transforms.t1.type`.
public struct SourceMap: Sendable {
    /// Where a key and its value begin.
    public struct Place: Hashable, Sendable {
        /// The first character of the key.
        public var key: Mark
        /// The first character of the value.
        public var value: Mark
    }

    /// The file, as it was named on the command line.
    public let file: String
    private var places: [String: Place] = [:]

    internal init(file: String) { self.file = file }

    /// The place of exactly this path.
    public subscript(path: String) -> Place? { places[path] }

    /// The place of a path, or of the nearest key around it that the file has.
    public func nearest(to path: String) -> Place? {
        var rest = path[...]
        while true {
            if let place = places[String(rest)] { return place }
            guard let dot = rest.lastIndex(of: ".") else { return nil }
            rest = rest[..<dot]
        }
    }

    internal mutating func note(_ path: String, key: Mark, value: Mark) {
        if places[path] == nil { places[path] = Place(key: key, value: value) }
    }
}
