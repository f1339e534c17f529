#pragma once

/* librdkafka, loaded when it is first needed.

   The declarations are librdkafka's own. The functions behind them are defined here: each calls its
   namesake in the shared library, which `mr_kafka_load` loads. So a newer librdkafka.so.1 than the
   one whose headers were there when building can be used, and a program that never talks to Kafka
   starts without it.

   A function that is declared by librdkafka and not forwarded here is an error when linking. */

/* What the headers include themselves, before the pragma reaches it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Hidden, so that librdkafka's own calls of these functions never come back here. */
#pragma GCC visibility push(hidden)
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

/* Loads librdkafka once: the file that MILLRACE_LIBRDKAFKA names, or librdkafka.so.1.

   Returns NULL, or why it cannot be used; the text lives for ever. Must have returned NULL before
   any function of librdkafka is called. Safe from any thread. */
const char *mr_kafka_load(void);

/* Whether the library has IncrementalAlterConfigs, which came with version 2.2. */
int mr_kafka_has_incremental_alter(void);

/* Asks for the settings of a topic to be changed, all others staying as they are. A null value
   brings the broker's default back. Needs `mr_kafka_has_incremental_alter`. The answer comes to
   `queue`; `mr_kafka_alter_result` reads it. */
rd_kafka_error_t *mr_kafka_incremental_alter(rd_kafka_t *client, const char *topic,
                                             const char *const *names, const char *const *values,
                                             size_t count, const rd_kafka_AdminOptions_t *options,
                                             rd_kafka_queue_t *queue);

/* The error that a broker answered for the topic of `mr_kafka_incremental_alter`, and its text. */
rd_kafka_resp_err_t mr_kafka_alter_result(rd_kafka_event_t *event, const char **text);

/* What became of messages that were produced together. Written by the thread that polls. */
typedef struct {
    int64_t pending;           /* handed over and not reported yet */
    int64_t failed;            /* reported as not delivered */
    rd_kafka_resp_err_t error; /* of the first that failed */
    int32_t partition;         /* of the first that failed */
} mr_kafka_delivery;

/* The delivery report callback that keeps the count in the `mr_kafka_delivery` of each message. */
void mr_kafka_count_deliveries(rd_kafka_conf_t *conf);

/* Produces the records of a RecordBatch (magic 2, not compressed) from `bytes` on, `count` of them.

   Keys are copied by librdkafka, values are not: they must stay until `delivery` has no pending
   messages. Starts at `*cursor`, which is moved behind each record that was taken; so a call that
   ended with RD_KAFKA_RESP_ERR__QUEUE_FULL can be repeated when there is room. `*taken` counts up.
   RD_KAFKA_RESP_ERR__BAD_MSG: the bytes are no records. */
rd_kafka_resp_err_t mr_kafka_produce_records(rd_kafka_t *client, rd_kafka_topic_t *topic,
                                             int32_t partition, int64_t base_timestamp,
                                             const uint8_t **cursor, const uint8_t *end,
                                             int64_t *taken, int64_t count,
                                             mr_kafka_delivery *delivery);

/* Produces one record, copied. Null pointers are null keys and values; a timestamp below 0 is the
   time of the call. */
rd_kafka_resp_err_t mr_kafka_produce(rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition,
                                     int64_t timestamp, const void *key, size_t key_length,
                                     const void *value, size_t value_length,
                                     mr_kafka_delivery *delivery);

/* A consumed record, as slices of memory of the caller's. */
typedef struct {
    int64_t offset;
    int64_t timestamp;    /* INT64_MIN for none */
    const void *key;      /* NULL for none */
    const void *value;    /* NULL for null */
    const void *headers;  /* in the encoding of a RecordBatch's records */
    uint32_t key_length;
    uint32_t value_length;
    uint32_t headers_length;
    uint32_t header_count;
} mr_kafka_record;

/* The bytes that `mr_kafka_copy_messages` needs at `target` for these messages, none of which is an
   error. Notes in `records` what it has found. */
size_t mr_kafka_measure_messages(rd_kafka_message_t *const *messages, size_t count,
                                 mr_kafka_record *records);

/* Copies messages to `target`, and describes them in `records`, which have been measured. Destroys
   the messages. */
void mr_kafka_copy_messages(rd_kafka_message_t **messages, size_t count, uint8_t *target,
                            mr_kafka_record *records);

#pragma GCC visibility pop
