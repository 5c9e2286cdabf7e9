import ForasFFI
import Foundation

/// A phone over its store. Everything but `enrol` and `sync` works with no network.
public final class Foras: Sendable {
    public let phone: ForasPhone

    /// Opens the phone whose store is in `directory`, and makes it where there is none.
    public init(directory: URL) throws {
        phone = try ForasPhone.open(dir: directory.path)
    }

    /// Enrols this phone with an invitation: its link, or its code where `serverURL` is named.
    public func enrol(_ invitation: String, serverURL: String? = nil) async throws {
        try await phone.enrol(invitation: invitation, serverUrl: serverURL)
    }

    /// Pushes what waits and catches up.
    public func sync(serverURL: String? = nil) async throws -> SyncReport {
        try await phone.sync(serverUrl: serverURL)
    }

    /// Every change from now on, until the loop over it ends.
    public func changes() throws -> AsyncStream<Change> {
        let (stream, continuation) = AsyncStream.makeStream(of: Change.self)
        let observation = try phone.observe(observer: Forwarder(continuation))
        continuation.onTermination = { _ in observation.cancel() }
        return stream
    }

    /// One page of the people that the phone holds.
    public func people(point: String? = nil, search: String? = nil, page: UInt32 = 1) throws -> PeoplePage {
        try phone.people(query: Query(point: point, search: search, page: page))
    }

    /// Sets fields in one change set; true where that changed something. Durable when it returns.
    @discardableResult
    public func edit(_ id: String, _ fields: [String: String]) throws -> Bool {
        let settings = fields.sorted { $0.key < $1.key }.map { Setting(field: $0.key, value: $0.value) }
        return try phone.edit(id: id, settings: settings)
    }
}

/// Hands changes to a stream.
private final class Forwarder: ChangeObserver {
    private let continuation: AsyncStream<Change>.Continuation

    init(_ continuation: AsyncStream<Change>.Continuation) {
        self.continuation = continuation
    }

    func changed(change: Change) throws {
        continuation.yield(change)
    }
}
