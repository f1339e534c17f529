#include "CPostgres.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

/* name, result, parameters, arguments: for functions with a result, and for those without. */
#define FUNCTIONS(F, P)                                                                           \
    F(PQlibVersion, int, (void), ())                                                              \
    F(PQconnectdbParams, PGconn *, (const char *const *k, const char *const *v, int e), (k, v, e))\
    F(PQconnectStartParams, PGconn *, (const char *const *k, const char *const *v, int e),        \
      (k, v, e))                                                                                  \
    F(PQconnectPoll, PostgresPollingStatusType, (PGconn * c), (c))                                \
    P(PQfinish, (PGconn * c), (c))                                                                \
    F(PQconninfoParse, PQconninfoOption *, (const char *s, char **e), (s, e))                     \
    P(PQconninfoFree, (PQconninfoOption * o), (o))                                                \
    F(PQconninfo, PQconninfoOption *, (PGconn * c), (c))                                          \
    F(PQstatus, ConnStatusType, (const PGconn *c), (c))                                           \
    F(PQtransactionStatus, PGTransactionStatusType, (const PGconn *c), (c))                       \
    F(PQparameterStatus, const char *, (const PGconn *c, const char *n), (c, n))                  \
    F(PQserverVersion, int, (const PGconn *c), (c))                                               \
    F(PQerrorMessage, char *, (const PGconn *c), (c))                                             \
    F(PQsetErrorVerbosity, PGVerbosity, (PGconn * c, PGVerbosity v), (c, v))                      \
    F(PQsocket, int, (const PGconn *c), (c))                                                      \
    F(PQbackendPID, int, (const PGconn *c), (c))                                                  \
    F(PQdb, char *, (const PGconn *c), (c))                                                       \
    F(PQuser, char *, (const PGconn *c), (c))                                                     \
    F(PQhost, char *, (const PGconn *c), (c))                                                     \
    F(PQport, char *, (const PGconn *c), (c))                                                     \
    F(PQsslInUse, int, (PGconn * c), (c))                                                         \
    F(PQgetCancel, PGcancel *, (PGconn * c), (c))                                                 \
    P(PQfreeCancel, (PGcancel * c), (c))                                                          \
    F(PQcancel, int, (PGcancel * c, char *e, int n), (c, e, n))                                   \
    F(PQsetNoticeReceiver, PQnoticeReceiver, (PGconn * c, PQnoticeReceiver r, void *a), (c, r, a))\
    F(PQsendQuery, int, (PGconn * c, const char *q), (c, q))                                      \
    F(PQsendQueryParams, int,                                                                     \
      (PGconn * c, const char *q, int n, const Oid *t, const char *const *v, const int *l,        \
       const int *f, int r),                                                                      \
      (c, q, n, t, v, l, f, r))                                                                   \
    F(PQsendPrepare, int, (PGconn * c, const char *s, const char *q, int n, const Oid *t),        \
      (c, s, q, n, t))                                                                            \
    F(PQsendQueryPrepared, int,                                                                   \
      (PGconn * c, const char *s, int n, const char *const *v, const int *l, const int *f, int r),\
      (c, s, n, v, l, f, r))                                                                      \
    F(PQsetSingleRowMode, int, (PGconn * c), (c))                                                 \
    F(PQgetResult, PGresult *, (PGconn * c), (c))                                                 \
    F(PQisBusy, int, (PGconn * c), (c))                                                           \
    F(PQconsumeInput, int, (PGconn * c), (c))                                                     \
    F(PQsetnonblocking, int, (PGconn * c, int a), (c, a))                                         \
    F(PQflush, int, (PGconn * c), (c))                                                            \
    F(PQenterPipelineMode, int, (PGconn * c), (c))                                                \
    F(PQexitPipelineMode, int, (PGconn * c), (c))                                                 \
    F(PQpipelineStatus, PGpipelineStatus, (const PGconn *c), (c))                                 \
    F(PQpipelineSync, int, (PGconn * c), (c))                                                     \
    F(PQputCopyData, int, (PGconn * c, const char *b, int n), (c, b, n))                          \
    F(PQputCopyEnd, int, (PGconn * c, const char *e), (c, e))                                     \
    F(PQgetCopyData, int, (PGconn * c, char **b, int a), (c, b, a))                               \
    P(PQfreemem, (void *p), (p))                                                                  \
    F(PQresultStatus, ExecStatusType, (const PGresult *r), (r))                                   \
    F(PQresultErrorField, char *, (const PGresult *r, int f), (r, f))                             \
    F(PQresultErrorMessage, char *, (const PGresult *r), (r))                                     \
    F(PQntuples, int, (const PGresult *r), (r))                                                   \
    F(PQnfields, int, (const PGresult *r), (r))                                                   \
    F(PQfname, char *, (const PGresult *r, int n), (r, n))                                        \
    F(PQftable, Oid, (const PGresult *r, int n), (r, n))                                          \
    F(PQftablecol, int, (const PGresult *r, int n), (r, n))                                       \
    F(PQfformat, int, (const PGresult *r, int n), (r, n))                                         \
    F(PQftype, Oid, (const PGresult *r, int n), (r, n))                                           \
    F(PQfmod, int, (const PGresult *r, int n), (r, n))                                            \
    F(PQcmdStatus, char *, (PGresult * r), (r))                                                   \
    F(PQcmdTuples, char *, (PGresult * r), (r))                                                   \
    F(PQgetvalue, char *, (const PGresult *r, int t, int f), (r, t, f))                           \
    F(PQgetlength, int, (const PGresult *r, int t, int f), (r, t, f))                             \
    F(PQgetisnull, int, (const PGresult *r, int t, int f), (r, t, f))                             \
    P(PQclear, (PGresult * r), (r))

#define POINTER(name, ...) __typeof__(&name) name;
static struct {
    FUNCTIONS(POINTER, POINTER)
} libpq;

#define FUNCTION(name, result, parameters, arguments)                                             \
    result name parameters { return libpq.name arguments; }
#define PROCEDURE(name, parameters, arguments)                                                    \
    void name parameters { libpq.name arguments; }
FUNCTIONS(FUNCTION, PROCEDURE)

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *problem;
static char text[512];

static void load(void) {
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(text, sizeof text, "%s", reason != NULL ? reason : "libpq.so.5 cannot be loaded");
        problem = text;
        return;
    }
#define LOOKUP(name, ...)                                                                         \
    if ((libpq.name = (__typeof__(libpq.name))dlsym(library, #name)) == NULL) {                   \
        snprintf(text, sizeof text, "libpq.so.5 is older than version 14: it has no %s", #name);  \
        problem = text;                                                                           \
        return;                                                                                   \
    }
    FUNCTIONS(LOOKUP, LOOKUP)
}

const char *mr_libpq_load(void) {
    pthread_once(&once, load);
    return problem;
}
