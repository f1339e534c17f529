// ConnectorSDK tests
