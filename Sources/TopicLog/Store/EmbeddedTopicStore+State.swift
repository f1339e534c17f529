public import ConnectorSDK
internal import SQLiteClient
internal import Topics

// MARK: - Positions, groups, schemas

extension EmbeddedTopicStore {
    public func positions(of connector: String) throws(ConnectorError) -> [String: String] {
        try data.query { (state) throws(SQLiteFailure) in try state.positions(of: connector) }
    }

    public func setPositions(
        of connector: String,
        to positions: [String: String?]
    ) throws(ConnectorError) {
        try data.apply(
            positions.map { .position(connector: connector, part: $0.key, offset: $0.value) }
        )
    }

    public func connectorsWithPositions() throws(ConnectorError) -> [String] {
        try data.query { (state) throws(SQLiteFailure) in try state.connectorsWithPositions() }
    }

    public func transformStates(
        of connector: String
    ) throws(ConnectorError) -> [String: [StateEntry]] {
        try data.query { (state) throws(SQLiteFailure) in
            try state.transformStates(of: connector)
        }
    }

    @discardableResult
    public func removeTransformStates(of connector: String) throws(ConnectorError) -> Int {
        try data.perform { (worker) throws(ConnectorError) in
            try worker.transaction { () throws(SQLiteFailure) in
                try worker.state.removeTransformStates(of: connector)
            }
        }
    }

    public func groupOffsets(
        _ group: String
    ) throws(ConnectorError) -> [TopicPartition: Int64] {
        try data.query { (state) throws(SQLiteFailure) in try state.groupOffsets(group) }
    }

    public func commitGroupOffsets(
        _ group: String,
        _ offsets: [TopicPartition: Int64?]
    ) throws(ConnectorError) {
        try data.apply(
            offsets.map { .groupOffset(group: group, partition: $0.key, offset: $0.value) }
        )
    }

    public func groups() throws(ConnectorError) -> [String] {
        try data.query { (state) throws(SQLiteFailure) in try state.groups() }
    }

    public func register(_ json: String) throws(ConnectorError) -> Int32 {
        let known = try data.query { (state) throws(SQLiteFailure) in try state.schemaID(json) }
        if let known { return known }
        return try data.perform { (worker) throws(ConnectorError) in
            try worker.transaction { () throws(SQLiteFailure) in
                try worker.state.registerSchema(json)
            }
        }
    }

    public func schema(_ id: Int32) throws(ConnectorError) -> String? {
        try data.query { (state) throws(SQLiteFailure) in try state.schema(id) }
    }
}
