// xml
