internal import CKafka

/// A number of Kafka's protocol, or, below 0, one of librdkafka's own.
public struct KafkaErrorCode: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: Int32
    /// Makes a code.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    internal init(_ code: rd_kafka_resp_err_t) { rawValue = code.rawValue }

    /// No error.
    public static let none = Self(rawValue: 0)
    /// The offset is not one that the partition holds.
    public static let offsetOutOfRange = Self(rawValue: 1)
    /// The topic or partition does not exist, or not yet as far as the broker knows.
    public static let unknownTopicOrPartition = Self(rawValue: 3)
    /// The record is larger than the broker takes.
    public static let messageTooLarge = Self(rawValue: 10)
    /// The user may not use the topic.
    public static let topicAuthorizationFailed = Self(rawValue: 29)
    /// The topic exists already.
    public static let topicAlreadyExists = Self(rawValue: 36)
    /// The broker does not know the request.
    public static let unsupportedVersion = Self(rawValue: 35)
    /// A newer producer has taken over the transactional id.
    public static let invalidProducerEpoch = Self(rawValue: 47)
    /// A newer producer has taken over the transactional id.
    public static let producerFenced = Self(rawValue: 90)
    /// The group has members.
    public static let nonEmptyGroup = Self(rawValue: 68)
    /// The group does not exist.
    public static let groupNotFound = Self(rawValue: 69)
    /// librdkafka: the queue of messages to be sent is full.
    public static let queueFull = Self(rawValue: -184)
    /// librdkafka: no answer in time.
    public static let timedOut = Self(rawValue: -185)
    /// librdkafka: a message was not delivered in time.
    public static let messageTimedOut = Self(rawValue: -192)
    /// librdkafka: the broker cannot be reached, or has closed the connection.
    public static let transport = Self(rawValue: -195)
    /// librdkafka: none of the brokers can be reached.
    public static let allBrokersDown = Self(rawValue: -187)
    /// librdkafka: the broker refused the credentials.
    public static let authentication = Self(rawValue: -169)
    /// librdkafka: the brokers are too old for what was asked.
    public static let unsupportedFeature = Self(rawValue: -165)
    /// librdkafka: there is nothing at the wanted offset.
    public static let autoOffsetReset = Self(rawValue: -140)
    /// librdkafka: the topic does not exist as far as the client knows.
    public static let unknownTopic = Self(rawValue: -188)
    /// librdkafka: the topic has no such partition as far as the client knows.
    internal static let unknownPartition = Self(rawValue: -190)
    /// librdkafka: the client is of no more use.
    public static let fatal = Self(rawValue: -150)
    /// librdkafka: an answer cannot be read.
    internal static let badMessage = Self(rawValue: -199)
    /// librdkafka: everything in the partition is read.
    internal static let partitionEnd = Self(rawValue: -191)

    /// librdkafka's name of it, such as `TOPIC_ALREADY_EXISTS`.
    public var name: String {
        guard mr_kafka_load() == nil else { return String(rawValue) }
        return String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(rawValue)))
    }

    internal var text: String {
        String(cString: rd_kafka_err2str(rd_kafka_resp_err_t(rawValue)))
    }

    /// What follows from it.
    internal var kind: KafkaFailure.Kind {
        switch rawValue {
        case 33, 34, 54, 58, -169: .authentication
        case 29, 30, 31, 53, 65: .authorization
        // The TLS library's: a certificate or a broker that does not speak TLS.
        case -181: .authentication
        case 47, 82, 90, -144: .fenced
        case -195, -193, -187, -185, -166, -192: .unreachable
        // Leaders and coordinators that move, and brokers that are too busy.
        case 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 22, 25, 27, 41, 51, 52, 56, 74, 75, 76, 88, 89,
            -184, -180, -153, -152, -151:
            .retriable
        case 45, 46, 48, 49, 59, -148, -150: .fatal
        case -186: .configuration
        default: .refused
        }
    }
}
