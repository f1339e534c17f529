// Transforms tests
