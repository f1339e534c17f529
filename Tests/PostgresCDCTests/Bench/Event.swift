import ConnectorSDK
import Foundation
import Testing

/// A record as the topic has it.
struct Stored: Equatable {
    var key: String?
    var value: String?
    var headers: [String: String]

    init(_ batch: RecordBatch, _ row: Int) {
        let metadata = batch[metadata: row]
        let key = batch.keyRow(row).flatMap { $0.pointee.isNil ? nil : $0.pointee.slice }
        self.key = key.map { String(decoding: $0, as: UTF8.self) }
        value =
            metadata.isTombstone ? nil : String(decoding: batch[row, 0].slice, as: UTF8.self)
        headers = [:]
        var reader = HeaderReader(bytes: metadata.headers)
        for _ in 0..<metadata.headerCount {
            guard let name = reader.next(), let value = reader.next() else { break }
            headers[String(decoding: name, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
        }
    }
}

/// A captured change.
struct Event: Equatable, CustomStringConvertible {
    /// `c`, `u`, `d`, `r`, `t`, `m`; `nil` for a tombstone.
    var operation: String?
    /// The key's fields as JSON text.
    var key: String?
    var before: [String: JSONValue]?
    var after: [String: JSONValue]?
    var source: [String: JSONValue]
    var transaction: [String: JSONValue]?
    var message: [String: JSONValue]?
    var headers: [String: String]

    init(_ record: Stored) throws {
        key = record.key
        headers = record.headers
        guard let text = record.value else {
            source = [:]
            return
        }
        let value = try JSONValue(text).object ?? [:]
        operation = value["op"]?.string
        before = value["before"]?.object
        after = value["after"]?.object
        source = value["source"]?.object ?? [:]
        transaction = value["transaction"]?.object
        message = value["message"]?.object
    }

    /// Such as `u {"id":1} before {…} after {…}`, fields in alphabetical order.
    var description: String {
        guard let operation else { return "tombstone \(key ?? "-")" }
        var text = operation
        if let key { text += " \(key)" }
        if let before { text += " before \(JSONValue.object(before))" }
        if let after { text += " after \(JSONValue.object(after))" }
        return text
    }

    func int(_ field: String) -> Int? { (after?[field] ?? before?[field])?.int }
}

/// A JSON value that can be compared.
enum JSONValue: Hashable, CustomStringConvertible {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Reads a document.
    init(_ text: String) throws {
        let data = Data(text.utf8)
        self.init(try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed))
    }

    private init(_ value: Any) {
        switch value {
        case let value as NSNumber:
            // Foundation's numbers know that they were true or false only by this.
            self =
                String(cString: value.objCType) == "c"
                ? .bool(value.boolValue) : .number("\(value)")
        case let value as String: self = .string(value)
        case let value as [Any]: self = .array(value.map { JSONValue($0) })
        case let value as [String: Any]: self = .object(value.mapValues { JSONValue($0) })
        default: self = .null
        }
    }

    var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    var int: Int? {
        guard case .number(let value) = self else { return nil }
        return Int(value)
    }

    var object: [String: JSONValue]? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    var description: String {
        switch self {
        case .null: return "null"
        case .bool(let value): return "\(value)"
        case .number(let value): return value
        case .string(let value): return "\"\(value)\""
        case .array(let values):
            return "[\(values.map(\.description).joined(separator: ","))]"
        case .object(let members):
            let texts = members.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
            return "{\(texts.joined(separator: ","))}"
        }
    }
}
