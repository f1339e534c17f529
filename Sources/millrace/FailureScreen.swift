import ConnectorSDK
import PipelineFile
import Synchronization

/// Says on standard error why a connector failed, when it does: once, with the place in the pipeline
/// file.
final class FailureScreen: Sendable {
    private let files: PipelineFileSet
    private let said: Mutex<Set<String>> = Mutex([])

    init(_ files: PipelineFileSet) { self.files = files }

    func show(_ connector: String, _ error: ConnectorError) {
        let line = describe(error, of: connector)
        // Several tasks may fail for one reason.
        guard said.withLock({ $0.insert(line).inserted }) else { return }
        ErrorScreen.shared.writeLine(line)
    }

    private func describe(_ error: ConnectorError, of connector: String) -> String {
        let advice = error.hint.map { " \($0)" } ?? ""
        let text = "\(error.message)\(advice) [\(error.code.rawValue)]"
        let place = files.place(connector: connector, key: error.configurationKey)
        guard let place else { return "error: \(connector): \(text)" }
        let path = place.path.replacing("connector.class", with: "connector")
        return "\(place.file):\(place.mark.line):\(place.mark.column): error: \(path): \(text)"
    }
}
