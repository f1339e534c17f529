#pragma once

/* Options of the SQLite library that its variadic configuration call hides from Swift. */

/* Turns the library's memory statistics off: a lock less in each allocation. Has an effect only
   before the first connection is opened; returns an SQLite result code. */
int mr_sqlite_config_memstatus_off(void);

#include "batch_table.h"
#include "row_reader.h"
