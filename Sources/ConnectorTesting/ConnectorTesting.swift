// ConnectorTesting
