// sqlite tests
