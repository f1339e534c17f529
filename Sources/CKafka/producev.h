#pragma once

#include "CKafka.h"

/* rd_kafka_producev of the library that was loaded; variadic, so only a pointer can be had. */
#pragma GCC visibility push(hidden)
extern rd_kafka_resp_err_t (*mr_kafka_producev)(rd_kafka_t *client, ...);
#pragma GCC visibility pop
