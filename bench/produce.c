/* Produces the lines of a file to a topic: what a program in C on librdkafka takes for it.

     produce BOOTSTRAP TOPIC PARTITIONS FILE

   Lines are not copied. They go to the partitions in turn, a thousand to each, acknowledged by all
   replicas, by an idempotent producer; one that is not delivered is an error. */

#include <librdkafka/rdkafka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static long failed;

static void report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client, (void)opaque;
    if (message->err) failed++;
}

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
    set(conf, "enable.idempotence", "true");
    set(conf, "acks", "all");
    rd_kafka_conf_set_dr_msg_cb(conf, report);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (client == NULL) return fprintf(stderr, "%s\n", text), 2;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, arguments[2], NULL);
    int partitions = atoi(arguments[3]);
    int file = open(arguments[4], O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) return perror(arguments[4]), 2;
    char *data = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    long lines = 0;
    for (char *at = data, *end = data + status.st_size; at < end;) {
        char *stop = memchr(at, '\n', end - at);
        if (stop == NULL) stop = end;
        int partition = lines / 1000 % partitions;
        while (rd_kafka_produce(topic, partition, 0, at, stop - at, NULL, 0, NULL)) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) return 1;
            rd_kafka_poll(client, 100);
        }
        if (++lines % 1000 == 0) rd_kafka_poll(client, 0);
        at = stop + 1;
    }
    rd_kafka_flush(client, 60000);
    printf("%ld lines, %ld failed\n", lines, failed);
    return failed != 0 || rd_kafka_outq_len(client) != 0;
}
