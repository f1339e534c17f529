// JSONRecords tests
