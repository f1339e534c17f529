/* Reads the records of a topic: what a program in C on librdkafka takes for it.

     consume BOOTSTRAP TOPIC PARTITIONS COUNT

   Reads what is committed, in batches of 512, all partitions from their first offset on, until
   there were COUNT records; adds up their bytes and looks at nothing. */

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <stdlib.h>

enum { most = 512 };

static void set(rd_kafka_conf_t *conf, const char *key, const char *value) {
    char text[512];
    if (rd_kafka_conf_set(conf, key, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "%s: %s\n", key, text);
        exit(2);
    }
}

int main(int count, char **arguments) {
    if (count != 5) return 2;
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", arguments[1]);
    set(conf, "isolation.level", "read_committed");
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (client == NULL) return fprintf(stderr, "%s\n", text), 2;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, arguments[2], NULL);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    for (int partition = 0; partition < atoi(arguments[3]); partition++)
        rd_kafka_consume_start_queue(topic, partition, RD_KAFKA_OFFSET_BEGINNING, queue);
    long records = 0, bytes = 0, wanted = atol(arguments[4]);
    while (records < wanted) {
        rd_kafka_message_t *messages[most];
        ssize_t taken = rd_kafka_consume_batch_queue(queue, 1000, messages, most);
        for (ssize_t i = 0; i < taken; i++) {
            if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                records++;
                bytes += messages[i]->len;
            }
            rd_kafka_message_destroy(messages[i]);
        }
        rd_kafka_poll(client, 0);
    }
    printf("%ld records, %ld bytes\n", records, bytes);
    return 0;
}
