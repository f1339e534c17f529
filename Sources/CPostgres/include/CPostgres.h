#pragma once

/* libpq, loaded when it is first needed.

   The declarations are libpq's own. The functions behind them are defined here: each calls its
   namesake in the shared library, which `mr_libpq_load` loads. Linking against libpq instead would
   load it and the twenty libraries it needs (Kerberos, LDAP, two TLS libraries) at every start of a
   program that may never talk to PostgreSQL.

   A function that is declared by libpq and not forwarded here is an error when linking. */

/* What libpq's header includes itself, before the pragma reaches it. */
#include <stdio.h>

/* Hidden, so that libpq's own calls of these functions never come back here. */
#pragma GCC visibility push(hidden)
#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif

/* Loads libpq once. Returns NULL, or why it cannot be used; the text lives for ever.
   Must have returned NULL before any function of libpq is called. Safe from any thread. */
const char *mr_libpq_load(void);

#pragma GCC visibility pop
