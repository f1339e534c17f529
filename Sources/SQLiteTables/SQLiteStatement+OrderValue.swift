public import SQLiteClient
public import TableMapping

extension SQLiteStatement {
    /// Binds a value, which must live as long as the binding.
    public func bind(_ parameter: Int, _ value: OrderValue) throws(SQLiteFailure) {
        switch value {
        case .integer(let value): try bind(parameter, value)
        case .real(let value): try bind(parameter, value)
        case .text(let bytes): try bindText(parameter, bytes.raw)
        case .blob(let bytes): try bindBlob(parameter, bytes.raw)
        }
    }

    /// A copy of a column's value; `nil` for null.
    public func orderValue(_ column: Int) -> OrderValue? {
        switch storageClass(column) {
        case .integer: .integer(int64(column))
        case .real: .real(double(column))
        case .text: .text(OrderValue.Bytes(text(column)))
        case .blob: .blob(OrderValue.Bytes(blob(column)))
        case .null: nil
        }
    }
}
