#include "ccurl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(F)                                                                              \
    F(curl_global_init) F(curl_easy_init) F(curl_easy_setopt) F(curl_easy_perform)                \
    F(curl_easy_cleanup) F(curl_easy_getinfo) F(curl_easy_strerror) F(curl_slist_append)          \
    F(curl_slist_free_all)

/* libcurl's header makes macros of these, which check types. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define POINTER(name) __typeof__(&name) name;
static struct {
    FUNCTIONS(POINTER)
} curl;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *problem;
static char text[512];

static void load(void) {
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(text, sizeof text, "%s", reason != NULL ? reason : "libcurl.so.4 is not there");
        problem = text;
        return;
    }
#define LOOKUP(name)                                                                              \
    if ((curl.name = (__typeof__(&name))dlsym(library, #name)) == NULL) {                         \
        snprintf(text, sizeof text, "libcurl.so.4 has no %s", #name);                             \
        problem = text;                                                                           \
        return;                                                                                   \
    }
    FUNCTIONS(LOOKUP)
    if (curl.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) problem = "libcurl cannot start";
}

const char *mr_client_load(void) {
    pthread_once(&once, load);
    return problem;
}

struct mr_client {
    CURL *handle;
    char error[CURL_ERROR_SIZE];
};

static size_t ignore(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes, (void)context;
    return size * count;
}

mr_client *mr_client_open(const mr_client_settings *settings) {
    mr_client *client = calloc(1, sizeof *client);
    if (client == NULL) return NULL;
    CURL *handle = client->handle = curl.curl_easy_init();
    if (handle == NULL) {
        free(client);
        return NULL;
    }
    curl.curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, client->error);
    curl.curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, ignore);
    curl.curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    /* A redirection could take records, and tokens, to anywhere. */
    curl.curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl.curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    curl.curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl.curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, settings->connect_milliseconds);
    curl.curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, settings->request_milliseconds);
    if (settings->authorities) curl.curl_easy_setopt(handle, CURLOPT_CAINFO, settings->authorities);
    if (settings->certificate) curl.curl_easy_setopt(handle, CURLOPT_SSLCERT, settings->certificate);
    if (settings->key) curl.curl_easy_setopt(handle, CURLOPT_SSLKEY, settings->key);
    if (settings->user) curl.curl_easy_setopt(handle, CURLOPT_USERPWD, settings->user);
    return client;
}

void mr_client_close(mr_client *client) {
    curl.curl_easy_cleanup(client->handle);
    free(client);
}

static void perform(mr_client *client, mr_reply *reply) {
    memset(reply, 0, sizeof *reply);
    client->error[0] = 0;
    CURLcode code = curl.curl_easy_perform(client->handle);
    if (code == CURLE_OK) {
        curl_off_t seconds = 0;
        curl.curl_easy_getinfo(client->handle, CURLINFO_RESPONSE_CODE, &reply->status);
        curl.curl_easy_getinfo(client->handle, CURLINFO_RETRY_AFTER, &seconds);
        reply->retry_after = seconds;
        return;
    }
    const char *words = client->error[0] ? client->error : curl.curl_easy_strerror(code);
    snprintf(reply->problem, sizeof reply->problem, "%s", words);
    reply->may_have_arrived = code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR ||
                              code == CURLE_OPERATION_TIMEDOUT || code == CURLE_SEND_ERROR ||
                              code == CURLE_PARTIAL_FILE;
    reply->is_tls_refusal = code == CURLE_PEER_FAILED_VERIFICATION ||
                            code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE;
}

void mr_client_send(mr_client *client, const char *method, const char *url,
                    const char *const *headers, size_t count, const void *body, size_t length,
                    mr_reply *reply) {
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < count; i++) list = curl.curl_slist_append(list, headers[i]);
    curl.curl_easy_setopt(client->handle, CURLOPT_CONNECT_ONLY, 0L);
    curl.curl_easy_setopt(client->handle, CURLOPT_URL, url);
    curl.curl_easy_setopt(client->handle, CURLOPT_HTTPHEADER, list);
    curl.curl_easy_setopt(client->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    curl.curl_easy_setopt(client->handle, CURLOPT_POSTFIELDS, body);
    curl.curl_easy_setopt(client->handle, CURLOPT_CUSTOMREQUEST, method);
    perform(client, reply);
    curl.curl_easy_setopt(client->handle, CURLOPT_HTTPHEADER, NULL);
    curl.curl_slist_free_all(list);
}

void mr_client_try(mr_client *client, const char *url, mr_reply *reply) {
    curl.curl_easy_setopt(client->handle, CURLOPT_URL, url);
    curl.curl_easy_setopt(client->handle, CURLOPT_CONNECT_ONLY, 1L);
    perform(client, reply);
}
