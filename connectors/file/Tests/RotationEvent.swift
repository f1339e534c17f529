import FileSystem
import Testing

@testable import FileConnector

/// What is seen, in order; numbers are inodes, and contents in the order of their beginnings.
enum RotationEvent: Sendable {
    case sees(
        String,
        UInt64,
        size: Int64 = 100,
        written: Int64 = 1,
        begins: String? = RotationEvent.alike
    )
    case misses(String)
    /// What a content begins with was read.
    case reads(Int, String)
    /// Everything that happened together was seen.
    case concludes
    /// The answer to the last comparison.
    case compared(UInt64, String, with: Int, Rotation.Comparison)
    case rewritten(Int)
    case drained(Int)
    case notFound(Int)
    case passes(Int64)

    /// How files begin of which nothing else is said.
    static let alike = "2026-11-21 08:00:00 "

    /// Tells a rotation of it; returns what is to be done.
    func happen(
        to rotation: inout Rotation,
        _ now: inout Int64
    ) throws -> [Rotation.Step] {
        switch self {
        case .sees(let path, let number, let size, let written, let text):
            let step = rotation.found(
                path,
                try .seen(.numbered(number), size: size, written: written),
                isIncluded: path != "d/strange",
                isTouched: false,
                at: now
            )
            let beginning = text.map { Beginning(Array($0.utf8)) }
            rotation.begins(.numbered(number), beginning, size: size, at: now)
            return step.map { [$0] } ?? []
        case .reads(let id, let text):
            rotation.begins(id, ContentStart(Array(text.utf8)))
            rotation.confirmed(id, size: 100, isRead: true)
            return []
        case .misses(let path):
            rotation.missing(path)
            return []
        case .concludes: return rotation.conclude(at: now)
        case .compared(let number, let path, let id, let comparison):
            return rotation.compared(.numbered(number), path, with: id, comparison)
        case .rewritten(let id): return rotation.rewritten(id)
        case .drained(let id): return rotation.drained(id, at: now)
        case .notFound(let id): return rotation.notFound(id, at: now)
        case .passes(let time):
            now += time
            return rotation.expire(at: now) { _ in true }
        }
    }
}

extension FileNode {
    /// A file of a table; those a million apart are in the same inode, one after the other.
    static func numbered(_ number: UInt64) -> FileNode {
        FileNode(inode: number % 1_000_000, created: Int64(number / 1_000_000) + 7)
    }
}

extension FileInformation {
    /// What the system says of a file.
    static func seen(
        _ node: FileNode,
        size: Int64,
        written: Int64 = 1
    ) throws -> FileInformation {
        var information = try #require(try FileInformation.of("/"))
        information.kind = .regular
        information.inode = node.inode
        information.created = node.created
        information.size = size
        information.modified = written
        return information
    }
}
