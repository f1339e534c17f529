// SQLiteClient
