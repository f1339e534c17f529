#include "CKafka.h"
#include "producev.h"

#include <string.h>

/* Producing */

static void count_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    mr_kafka_delivery *delivery = message->_private;
    (void)client;
    (void)opaque;
    if (delivery == NULL) return;
    delivery->pending--;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
    if (delivery->failed++ == 0) {
        delivery->error = message->err;
        delivery->partition = message->partition;
    }
}

void mr_kafka_count_deliveries(rd_kafka_conf_t *conf) {
    rd_kafka_conf_set_dr_msg_cb(conf, count_delivery);
}

/* Reads a zig-zag varint, or sets `*cursor` to NULL when it does not end before `end`. */
static int64_t read_varint(const uint8_t **cursor, const uint8_t *end) {
    uint64_t value = 0;
    const uint8_t *at = *cursor;
    for (unsigned shift = 0; at != NULL && at < end && shift < 64; shift += 7) {
        uint8_t byte = *at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *cursor = at;
            return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
        }
    }
    *cursor = NULL;
    return -1;
}

/* Reads a length and skips as many bytes; -1 for null. Sets `*cursor` to NULL past `end`. */
static int64_t read_bytes(const uint8_t **cursor, const uint8_t *end, const uint8_t **bytes) {
    int64_t length = read_varint(cursor, end);
    *bytes = NULL;
    if (*cursor == NULL) return -1;
    if (length < -1 || length > end - *cursor) {
        *cursor = NULL;
        return -1;
    }
    if (length < 0) return -1;
    *bytes = *cursor;
    *cursor += length;
    return length;
}

static rd_kafka_headers_t *read_headers(const uint8_t **cursor, const uint8_t *end, int64_t count) {
    rd_kafka_headers_t *headers = rd_kafka_headers_new((size_t)count);
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *name, *value;
        int64_t name_length = read_bytes(cursor, end, &name);
        if (*cursor == NULL) break;
        int64_t value_length = read_bytes(cursor, end, &value);
        if (*cursor == NULL) break;
        if (name_length < 0) {
            *cursor = NULL;
            break;
        }
        rd_kafka_header_add(headers, (const char *)name, name_length, value,
                            value == NULL ? 0 : value_length);
    }
    if (*cursor != NULL) return headers;
    rd_kafka_headers_destroy(headers);
    return NULL;
}

/* librdkafka takes a timestamp of 0 for "now": there is no way to say 1970-01-01 to it. */
static int64_t stamp(int64_t timestamp) { return timestamp < 0 ? 0 : timestamp; }

rd_kafka_resp_err_t mr_kafka_produce_records(rd_kafka_t *client, rd_kafka_topic_t *topic,
                                             int32_t partition, int64_t base_timestamp,
                                             const uint8_t **cursor, const uint8_t *end,
                                             int64_t *taken, int64_t count,
                                             mr_kafka_delivery *delivery) {
    while (*taken < count) {
        const uint8_t *at = *cursor, *key, *value;
        int64_t length = read_varint(&at, end);
        if (at == NULL || length < 6 || length > end - at) return RD_KAFKA_RESP_ERR__BAD_MSG;
        const uint8_t *record_end = at + length;
        at++; /* attributes, unused */
        int64_t timestamp = base_timestamp + read_varint(&at, record_end);
        read_varint(&at, record_end); /* the offset's delta */
        int64_t key_length = read_bytes(&at, record_end, &key);
        int64_t value_length = read_bytes(&at, record_end, &value);
        int64_t header_count = read_varint(&at, record_end);
        if (at == NULL || header_count < 0 || header_count > record_end - at)
            return RD_KAFKA_RESP_ERR__BAD_MSG;
        size_t key_size = key != NULL ? (size_t)key_length : 0;
        size_t value_size = value != NULL ? (size_t)value_length : 0;
        rd_kafka_headers_t *headers = NULL;
        if (header_count > 0) {
            headers = read_headers(&at, record_end, header_count);
            if (headers == NULL) return RD_KAFKA_RESP_ERR__BAD_MSG;
        }
        rd_kafka_resp_err_t error = mr_kafka_producev(
            client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
            RD_KAFKA_V_MSGFLAGS(0), RD_KAFKA_V_KEY(key, (size_t)key_size),
            RD_KAFKA_V_VALUE((void *)value, (size_t)value_size),
            RD_KAFKA_V_TIMESTAMP(stamp(timestamp)), RD_KAFKA_V_OPAQUE(delivery),
            RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            /* Headers are librdkafka's only when it takes the record. */
            if (headers != NULL) rd_kafka_headers_destroy(headers);
            return error;
        }
        delivery->pending++;
        (*taken)++;
        *cursor = record_end;
    }
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t mr_kafka_produce(rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition,
                                     int64_t timestamp, const void *key, size_t key_length,
                                     const void *value, size_t value_length,
                                     mr_kafka_delivery *delivery) {
    rd_kafka_resp_err_t error = mr_kafka_producev(
        client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_length),
        RD_KAFKA_V_VALUE((void *)value, value_length), RD_KAFKA_V_TIMESTAMP(stamp(timestamp)),
        RD_KAFKA_V_OPAQUE(delivery), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) delivery->pending++;
    return error;
}

/* Consuming */

enum { longest_varint = 5 };

static rd_kafka_headers_t *headers_of(const rd_kafka_message_t *message) {
    rd_kafka_headers_t *headers = NULL;
    return rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR ? headers
                                                                                     : NULL;
}

size_t mr_kafka_measure_messages(rd_kafka_message_t *const *messages, size_t count,
                                 mr_kafka_record *records) {
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += messages[i]->len + messages[i]->key_len;
        /* Looking for headers that are not there costs as much as all else, so it is done once. */
        rd_kafka_headers_t *headers = headers_of(messages[i]);
        records[i].headers = headers;
        const char *name;
        const void *value;
        size_t length;
        for (size_t j = 0; headers != NULL; j++) {
            if (rd_kafka_header_get_all(headers, j, &name, &value, &length)) break;
            total += strlen(name) + (value != NULL ? length : 0) + 2 * longest_varint;
        }
    }
    return total;
}

static uint8_t *write_length(uint8_t *target, int64_t value) {
    uint64_t encoded = ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
    while (encoded >= 0x80) {
        *target++ = (uint8_t)(encoded | 0x80);
        encoded >>= 7;
    }
    *target++ = (uint8_t)encoded;
    return target;
}

static uint8_t *write_bytes(uint8_t *target, const void *bytes, size_t length) {
    target = write_length(target, bytes != NULL ? (int64_t)length : -1);
    if (bytes != NULL && length > 0) memcpy(target, bytes, length);
    return target + (bytes != NULL ? length : 0);
}

static uint8_t *copy(const void *bytes, size_t length, uint8_t *target, const void **copied) {
    *copied = bytes != NULL ? target : NULL;
    if (bytes == NULL || length == 0) return target;
    memcpy(target, bytes, length);
    return target + length;
}

void mr_kafka_copy_messages(rd_kafka_message_t **messages, size_t count, uint8_t *target,
                            mr_kafka_record *records) {
    for (size_t i = 0; i < count; i++) {
        rd_kafka_message_t *message = messages[i];
        mr_kafka_record *record = &records[i];
        rd_kafka_timestamp_type_t type;
        record->offset = message->offset;
        record->timestamp = rd_kafka_message_timestamp(message, &type);
        if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) record->timestamp = INT64_MIN;
        record->key_length = message->key != NULL ? (uint32_t)message->key_len : 0;
        record->value_length = message->payload != NULL ? (uint32_t)message->len : 0;
        target = copy(message->key, message->key_len, target, &record->key);
        target = copy(message->payload, message->len, target, &record->value);
        const rd_kafka_headers_t *headers = record->headers;
        record->headers = target;
        record->header_count = 0;
        const char *name;
        const void *value;
        size_t length;
        for (size_t j = 0; headers != NULL; j++) {
            if (rd_kafka_header_get_all(headers, j, &name, &value, &length)) break;
            target = write_bytes(target, name, strlen(name));
            target = write_bytes(target, value, length);
            record->header_count++;
        }
        record->headers_length = (uint32_t)(target - (uint8_t *)record->headers);
        rd_kafka_message_destroy(message);
    }
}
