// Topics tests
