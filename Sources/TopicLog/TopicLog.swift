// TopicLog
