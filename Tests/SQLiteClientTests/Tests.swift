// SQLiteClient tests
