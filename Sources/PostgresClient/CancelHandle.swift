internal import CPostgres

/// What a cancel request needs, freed when it goes out of scope.
@safe
internal struct CancelHandle: ~Copyable {
    internal let pointer: OpaquePointer

    internal init?(_ connection: borrowing ConnectionHandle) {
        guard let pointer = PQgetCancel(connection.pointer) else { return nil }
        self.pointer = pointer
    }

    deinit { PQfreeCancel(pointer) }
}

/// Asks the server to cancel what a connection is running; safe from any thread, at any time.
public final class PostgresCanceller: Sendable {
    // SAFETY: libpq allows one PGcancel to be used from any thread, and several times; it is
    // written to only when it is made and when it is freed.
    private nonisolated(unsafe) let handle: CancelHandle

    internal init(_ handle: consuming CancelHandle) { self.handle = handle }

    /// Opens a connection of its own and asks; the statement then fails with
    /// ``SQLState/queryCancelled``, unless it was done.
    ///
    /// - Throws: why the server could not be asked.
    public func cancel() throws(PostgresFailure) {
        var text = [CChar](repeating: 0, count: 256)
        guard PQcancel(handle.pointer, &text, Int32(text.count)) == 0 else { return }
        let end = text.firstIndex(of: 0) ?? text.endIndex
        let message = String(decoding: text[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw PostgresFailure(.connection, .connectionFailure, message)
    }
}
