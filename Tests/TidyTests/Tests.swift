// Tidy tests
