internal import CSQLite
internal import CSQLiteShim
public import ConnectorSDK
public import SQLiteClient
public import TableMapping

/// The batch being written, as SQLite sees it: a table to select from, or rows to bind.
@safe
public final class BatchTableHandle {
    /// The tables are made for this many columns, so that few of them serve any number.
    private static let sizes = [16, 64, 256, 1_024, 1_999]

    private let state: UnsafeMutablePointer<mr_batch>
    private let walPages: UnsafeMutablePointer<Int64>
    private let connection: OpaquePointer
    private var registered: Set<Int> = []

    /// Attaches to a connection, which must not be used any more when this value is gone.
    public init(_ database: borrowing SQLiteHandle) {
        connection = database.pointer
        state = .allocate(capacity: 1)
        state.initialize(to: mr_batch())
        walPages = .allocate(capacity: 1)
        walPages.initialize(to: 0)
        mr_watch_wal(connection, walPages)
    }

    deinit {
        state.deallocate()
        walPages.deallocate()
    }

    /// The pages in the write-ahead log after the last commit.
    public var pagesInLog: Int64 { walPages.pointee }

    /// Whether the page cache overflowed since this was asked last.
    public func takeSpill() -> Bool {
        var spilled: Int32 = 0
        var highest: Int32 = 0
        sqlite3_db_status(connection, SQLITE_DBSTATUS_CACHE_SPILL, &spilled, &highest, 1)
        return spilled > 0
    }

    /// The name of the table that shows at least `count` columns, `c0` and so on.
    internal func tableName(columns count: Int) throws(SQLiteFailure) -> String {
        guard let size = Self.sizes.first(where: { $0 >= count }) else {
            throw SQLiteFailure(code: 18, message: "too many columns")
        }
        let name = "__millrace_batch_\(size)"
        if !registered.contains(size) {
            let code = mr_batch_table_register(connection, name, Int32(size), state)
            guard code == 0 else { throw SQLiteFailure(code: code, message: "out of memory") }
            registered.insert(size)
        }
        return name
    }

    /// Shows the rows of a batch to the statements that run within `body`.
    public func show<Result>(
        _ batch: RecordBatch,
        _ body: () throws(ConnectorError) -> Result
    ) throws(ConnectorError) -> Result {
        var topic = batch.topic
        state.pointee = mr_batch()
        state.pointee.values = Self.cells(batch.row(0))
        state.pointee.value_stride = Int32(truncatingIfNeeded: batch.stride)
        state.pointee.keys = batch.keyRow(0).flatMap(Self.cells)
        state.pointee.key_stride = Int32(truncatingIfNeeded: batch.keySchema?.count ?? 0)
        let metadata = UnsafeRawPointer(batch.metadata(0))
        state.pointee.metadata = metadata.assumingMemoryBound(to: UInt8.self)
        state.pointee.metadata_stride = Int32(MemoryLayout<RecordMetadata>.stride)
        let position = MemoryLayout<RecordMetadata>.offset(of: \.offset) ?? 0
        state.pointee.offset_position = Int32(position)
        state.pointee.partition = batch.count > 0 ? batch[metadata: 0].partition : -1
        defer { state.pointee = mr_batch() }
        let result: Swift.Result<Result, ConnectorError> = topic.withUTF8 { utf8 in
            state.pointee.topic = UnsafeRawPointer(utf8.baseAddress)?
                .assumingMemoryBound(to: CChar.self)
            state.pointee.topic_length = Int32(truncatingIfNeeded: utf8.count)
            do throws(ConnectorError) {
                return .success(try body())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Whether the columns of a plan take every value of the batch shown; false when that would
    /// need a closer look.
    public func isCertain(_ batch: RecordBatch, for plan: WritePlan) -> Bool {
        let bindings = plan.bindings
        return bindings.withUnsafeBufferPointer { columns in
            mr_batch_is_certain(
                state,
                Int64(batch.count),
                columns.baseAddress,
                Int32(truncatingIfNeeded: columns.count)
            ) != 0
        }
    }

    /// What running a statement over rows came to.
    public enum Outcome {
        /// All rows were written.
        case done
        /// A row that was to change something changed nothing.
        case nothingChanged
        /// The value for this column would have lost digits there.
        case refused(column: Int)
    }

    /// Runs a statement over a run of the rows shown.
    public func execute(
        _ statement: RunStatement,
        _ run: BatchPlanner.Run,
        order: UnsafePointer<UInt32>?
    ) throws(SQLiteFailure) -> Outcome {
        state.pointee.order = order.map { $0 + run.first }
        state.pointee.first = order == nil ? Int64(run.first) : 0
        state.pointee.count = Int64(run.count)
        state.pointee.columns = UnsafePointer(statement.columns)
        state.pointee.column_count = Int32(truncatingIfNeeded: statement.columnCount)
        state.pointee.refused_column = -1
        defer { state.pointee.columns = nil }
        if statement.isSetBased {
            do throws(SQLiteFailure) {
                try statement.statement.run()
            } catch {
                guard state.pointee.refused_column >= 0 else { throw error }
                return .refused(column: Int(state.pointee.refused_column))
            }
            return .done
        }
        let code = mr_batch_execute(
            statement.statement.pointer,
            state,
            statement.mustChange ? 1 : 0
        )
        if code == 0 { return .done }
        defer { statement.statement.reset() }
        if code == MR_NOTHING_CHANGED { return .nothingChanged }
        if state.pointee.refused_column >= 0 {
            return .refused(column: Int(state.pointee.refused_column))
        }
        let message = Self.message(connection)
        throw SQLiteFailure(code: code, message: message)
    }

    private static func cells(_ cells: UnsafeMutablePointer<Cell>) -> UnsafePointer<mr_cell>? {
        UnsafeRawPointer(cells).assumingMemoryBound(to: mr_cell.self)
    }

    private static func message(_ connection: OpaquePointer) -> String {
        String(cString: sqlite3_errmsg(connection))
    }
}
