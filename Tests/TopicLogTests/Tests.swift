// TopicLog tests
