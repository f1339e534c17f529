import ConnectorSDK
import Foundation

/// Holds up the task for some seconds, as a disk might.
final class Slow: Transform {
    static let name = "Slow"
    static let summary = "Waits."
    static let configuration = ConfigSpec()

    private var batches = 0

    init(configuration: Configuration) throws(ConnectorError) {}

    func apply(_ batch: RecordBatch) throws(ConnectorError) {
        guard batch.topic.hasSuffix(".t") else { return }
        batches += 1
        if batches <= 2 { usleep(1_200_000) }
    }
}

/// Lets three batches through in a second, so that there is time to stop between them.
final class Brake: Transform {
    static let name = "Brake"
    static let summary = "Waits a little."
    static let configuration = ConfigSpec()

    init(configuration: Configuration) throws(ConnectorError) {}

    func apply(_ batch: RecordBatch) throws(ConnectorError) { usleep(300_000) }
}
