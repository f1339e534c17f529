// Converters tests
