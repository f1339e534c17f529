"""Reads and writes record batches with kafka-python, whose code is not ours.

kafka_records.py read FILE    prints a line a record: offset timestamp key value headers
kafka_records.py write CODEC  prints a batch of three records in hexadecimal
"""
import sys

from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.memory_records import MemoryRecords


def text(data):
    return "-" if data is None else "'" + data.hex()


def read(path):
    records = MemoryRecords(open(path, "rb").read())
    while records.has_next():
        batch = records.next_batch()
        assert batch.validate_crc()
        for record in batch:
            headers = ",".join(text(k.encode()) + "=" + text(v) for k, v in record.headers)
            print(record.offset, record.timestamp, text(record.key), text(record.value), headers)


def write(codec):
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, -1, 1 << 20)
    for offset, key in enumerate([None, b"", b"key"]):
        headers = [("h", b"x"), ("", None)] if key else []
        value = b"value " * 100 if offset < 2 else None
        assert builder.append(offset, 1_000 + offset, key, value, headers) is not None
    print(bytes(builder.build()).hex())


if sys.argv[1] == "read":
    read(sys.argv[2])
else:
    write(int(sys.argv[2]))
