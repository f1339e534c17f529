// xml tests
