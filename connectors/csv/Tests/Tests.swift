// csv tests
