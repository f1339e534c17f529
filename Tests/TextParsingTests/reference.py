"""Takes lines apart with the parsers of others, and prints what they find as JSON, line by line.

Usage: reference.py combined|rfc5424|rfc3164 FILE
A line that a parser refuses is printed as null.
"""

import json
import sys
from datetime import datetime, timezone


def micros(time):
    return round((time - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds() * 1_000_000)


def known(part):
    return None if part in (None, "-") else str(part)


def combined(lines):
    from apachelogs import COMBINED, InvalidEntryError, LogParser

    # It decodes escapes, which the lines therefore do not have.
    parser = LogParser(COMBINED.replace("%>s", "%s"))
    for line in lines:
        try:
            entry = parser.parse(line)
        except InvalidEntryError:
            yield None
            continue
        yield {
            "host": entry.remote_host,
            "identity": entry.remote_logname,
            "user": entry.remote_user,
            "timestamp": micros(entry.request_time),
            "request": entry.request_line,
            "status": entry.status,
            "size": entry.bytes_sent,
            "referrer": entry.headers_in["Referer"],
            "agent": entry.headers_in["User-Agent"],
        }


def rfc5424(lines):
    from syslog_rfc5424_parser import ParseError, SyslogMessage

    for line in lines:
        try:
            message = SyslogMessage.parse(line)
        except ParseError:
            yield None
            continue
        text = message.timestamp
        time = None if text in (None, "-") else datetime.fromisoformat(text.replace("Z", "+00:00"))
        yield {
            "priority": message.facility.value * 8 + message.severity.value,
            "timestamp": micros(time) if time else None,
            "hostname": known(message.hostname),
            "appname": known(message.appname),
            "procid": known(message.procid),
            "msgid": known(message.msgid),
            "data": message.sd or None,
            "message": message.msg or None,
        }


def rfc3164(lines):
    from syslogmp import parse

    for line in lines:
        message = parse(line.encode())
        time = message.timestamp.replace(tzinfo=timezone.utc)
        yield {
            "priority": message.facility.value * 8 + message.severity.value,
            # It takes the year of today.
            "time": time.strftime("%m-%d %H:%M:%S"),
            "hostname": message.hostname,
            "message": message.message.decode(),
        }


if __name__ == "__main__":
    with open(sys.argv[2], newline="\n") as file:
        texts = file.read().split("\n")[:-1]
    for found in {"combined": combined, "rfc5424": rfc5424, "rfc3164": rfc3164}[sys.argv[1]](texts):
        print(json.dumps(found))
