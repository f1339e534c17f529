internal import ConnectorSDK

internal struct ColumnDecoder {
    let type: UInt32
    let isText: Bool

    init(type: UInt32) {
        self.type = type
        isText = ![16, 20, 21, 23].contains(type)
    }

    var fieldType: FieldType {
        switch type {
        case 16: .bool
        case 20: .int64
        case 21: .int16
        case 23: .int32
        default: .string
        }
    }

    @inline(__always)
    func text(_ bytes: UnsafeRawBufferPointer) -> Cell {
        switch type {
        case 16: return .bool(bytes.first == UInt8(ascii: "t"))
        case 20, 21, 23: return .int(Int64(String(decoding: bytes, as: UTF8.self)) ?? 0)
        default: return .slice(.string, bytes)
        }
    }

    func binary(_ bytes: UnsafeRawBufferPointer) -> Cell {
        switch type {
        case 16: return .bool(bytes.first != 0)
        case 20: return .int(bytes.loadUnaligned(as: Int64.self).bigEndian)
        case 21: return .int(Int64(bytes.loadUnaligned(as: Int16.self).bigEndian))
        case 23: return .int(Int64(bytes.loadUnaligned(as: Int32.self).bigEndian))
        default: return .slice(.string, bytes)
        }
    }
}
