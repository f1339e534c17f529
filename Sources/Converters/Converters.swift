// Converters
