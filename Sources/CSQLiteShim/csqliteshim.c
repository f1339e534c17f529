#include "csqliteshim.h"

#include <sqlite3.h>

int mr_sqlite_config_memstatus_off(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }
