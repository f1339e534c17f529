// json tests
