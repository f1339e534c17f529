// file tests
