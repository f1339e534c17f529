public import Compression

/// How input is compressed, as a configuration says it.
public enum InputCompression: String, CaseIterable, Sendable {
    case auto, none, gzip, zstd

    /// What a stream that begins so is compressed with.
    public func kind(of start: [UInt8]) -> CompressionKind {
        switch self {
        case .auto: start.withUnsafeBytes { CompressionKind.detect($0) }
        case .none: .none
        case .gzip: .gzip
        case .zstd: .zstd
        }
    }
}
