"""Reads and writes topics of a cluster by a client of the Python world, as a judge of ours.

cluster.py BOOTSTRAP create TOPIC PARTITIONS
cluster.py BOOTSTRAP grow TOPIC PARTITIONS
cluster.py BOOTSTRAP delete TOPIC
cluster.py BOOTSTRAP shorten TOPIC PARTITION OFFSET    removes what is before the offset, or all (-1)
cluster.py BOOTSTRAP produce    records as JSON lines on standard input
cluster.py BOOTSTRAP consume TOPIC    records as JSON lines, by partition and offset

Keys, values and the values of headers are hexadecimal, or null.
"""

import json
import sys

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic


def raw(text):
    return None if text is None else bytes.fromhex(text)


def shown(data):
    return None if data is None else data.hex()


def create(bootstrap, topic, partitions):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([NewTopic(topic, int(partitions), 1)]).values():
        future.result(60)


def grow(bootstrap, topic, partitions):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_partitions([NewPartitions(topic, int(partitions))]).values():
        future.result(60)


def delete(bootstrap, topic):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.delete_topics([topic]).values():
        future.result(60)


def shorten(bootstrap, topic, partition, offset):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    place = TopicPartition(topic, int(partition), int(offset))
    for future in admin.delete_records([place]).values():
        future.result(60)


def produce(bootstrap):
    failures = []
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for line in sys.stdin:
        record = json.loads(line)
        arguments = {"partition": record["partition"]}
        if "timestamp" in record:
            arguments["timestamp"] = record["timestamp"]
        if record.get("headers"):
            arguments["headers"] = [(name, raw(value)) for name, value in record["headers"]]
        while True:
            try:
                producer.produce(
                    record["topic"],
                    raw(record.get("value")),
                    raw(record.get("key")),
                    on_delivery=lambda error, _: failures.append(str(error)) if error else None,
                    **arguments,
                )
                break
            except BufferError:
                producer.poll(1)
        producer.poll(0)
    rest = producer.flush(120)
    if rest or failures:
        sys.exit(f"{rest} records are not delivered; {failures[:3]}")


def consume(bootstrap, topic):
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "judge",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
        }
    )
    partitions = consumer.list_topics(topic, 60).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    records, ended = [], set()
    while len(ended) < len(partitions):
        message = consumer.poll(120)
        if message is None:
            sys.exit("nothing comes")
        if message.error():
            if message.error().code() != KafkaError._PARTITION_EOF:
                sys.exit(str(message.error()))
            ended.add(message.partition())
            continue
        records.append(
            {
                "partition": message.partition(),
                "offset": message.offset(),
                "timestamp": message.timestamp()[1],
                "key": shown(message.key()),
                "value": shown(message.value()),
                "headers": [[name, shown(value)] for name, value in message.headers() or []],
            }
        )
    consumer.close()
    records.sort(key=lambda record: (record["partition"], record["offset"]))
    for record in records:
        print(json.dumps(record))


commands = {"create": create, "grow": grow, "delete": delete, "shorten": shorten,
            "produce": produce, "consume": consume}
commands[sys.argv[2]](sys.argv[1], *sys.argv[3:])
