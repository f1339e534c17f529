internal import ChangeCapture
internal import ConnectorSDK
internal import SQLiteTables

/// The layouts that changes are noted under, and the tables that are told of them.
internal final class TableMap {
    /// A layout as it is read and told.
    final class Entry {
        let layout: CapturedLayout
        let table: CapturedTable
        let reader: CellReader
        let before: UnsafeMutablePointer<Cell>
        let after: UnsafeMutablePointer<Cell>

        init(_ layout: CapturedLayout, in stream: ChangeStream) throws(ConnectorError) {
            self.layout = layout
            let types = layout.columns.map { DeclaredType($0.type) }
            table = try CapturedTable(
                namespace: nil,
                name: layout.name,
                columns: zip(layout.columns, types).map { column, type in
                    CapturedColumn(
                        column.name,
                        type.fieldType,
                        nativeType: type.nativeType,
                        isOptional: Self.isOptional(column, in: layout)
                    )
                },
                primaryKey: layout.keyColumns,
                enforcesTypes: false,
                in: stream
            )
            reader = CellReader(types)
            let count = max(layout.columns.count, 1)
            before = .allocate(capacity: count)
            after = .allocate(capacity: count)
        }

        deinit {
            before.deallocate()
            after.deallocate()
        }

        /// A table with row ids allows null in its primary key, unless it is the row id.
        private static func isOptional(
            _ column: CapturedLayout.Column,
            in layout: CapturedLayout
        ) -> Bool {
            let isKey = column.keyPosition > 0 && (layout.rowID == nil || layout.rowIDIsStable)
            return !column.isNotNull && !isKey
        }
    }

    private let stream: ChangeStream
    private let settings: CDCSettings
    private(set) var layouts: [CapturedLayout] = []
    private var entries: [Int64: Entry] = [:]
    private var byID: [Int64: CapturedLayout] = [:]

    init(_ stream: ChangeStream, _ settings: CDCSettings) {
        self.stream = stream
        self.settings = settings
    }

    /// Follows what the registry says now.
    func update(_ layouts: [CapturedLayout]) {
        self.layouts = layouts
        byID = Dictionary(layouts.map { ($0.id, $0) }) { first, _ in first }
        // Layouts never change, but a new capture may use their numbers again.
        entries = entries.filter { id, entry in
            byID[id].map { $0.columns == entry.layout.columns && $0.name == entry.layout.name }
                ?? false
        }
    }

    /// The layout of that number.
    func layout(_ id: Int64) -> CapturedLayout? { byID[id] }

    /// The layout that a table, known by its first layout, has now; `nil` when it is gone.
    func present(ofOrigin origin: Int64) -> CapturedLayout? {
        layouts.last { $0.origin == origin && $0.isLive }
    }

    /// The entry of a layout; `nil` when its table is not to be captured.
    func entry(_ layout: CapturedLayout) throws(ConnectorError) -> Entry? {
        if let entry = entries[layout.id] { return entry }
        guard settings.includes(layout.name) else { return nil }
        let entry = try Entry(layout, in: stream)
        entries[layout.id] = entry
        return entry
    }
}
