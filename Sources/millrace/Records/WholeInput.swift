import ConnectorSDK
import Glibc

/// All of a file or of standard input, for values that a person gives.
enum WholeInput {
    /// Far larger than any record that a topic takes.
    private static let sizeLimit = 1 << 30

    /// Reads the file at `path`, or standard input for `-`.
    static func read(_ path: String) throws -> [UInt8] {
        guard path != "-" else { return try read(STDIN_FILENO, "Standard input") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("`\(path)`", errno) }
        defer { close(descriptor) }
        return try read(descriptor, "`\(path)`")
    }

    private static func read(_ descriptor: Int32, _ name: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(name, errno) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= sizeLimit else {
                throw Failure.usage("\(name) holds more than 1 GiB, which no record does.")
            }
        }
    }

    private static func failure(_ name: String, _ code: Int32) -> Failure {
        Failure(
            .environment,
            code: ConnectorError.Code.fileSystem.rawValue,
            "\(name) cannot be read: \(String(cString: strerror(code)))."
        )
    }
}
