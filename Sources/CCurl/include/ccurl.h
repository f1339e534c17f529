#pragma once
/* HTTP requests by libcurl, which is loaded when it is first needed: linking against it would load it
   and the thirty libraries it needs at every start of a program that may never send a request. */
#include <stddef.h>
#include <stdint.h>

/// A client that keeps its connections between requests. For one thread at a time.
typedef struct mr_client mr_client;

/// What does not change from request to request; NULL and 0 stand for libcurl's defaults.
typedef struct {
    const char *authorities;
    const char *certificate;
    const char *key;
    const char *user;
    long connect_milliseconds;
    long request_milliseconds;
} mr_client_settings;

/// What came back.
typedef struct {
    /// The status; 0 when there is none.
    long status;
    /// What `Retry-After` says, in seconds; 0 when it says nothing.
    int64_t retry_after;
    /// Whether the request may have been received although there is no answer.
    int may_have_arrived;
    /// Whether the server is not the one it should be, or refuses our certificate.
    int is_tls_refusal;
    /// Why there is no status, in libcurl's words.
    char problem[256];
} mr_reply;

/// Loads libcurl once. Returns NULL, or why it cannot be used; the text lives for ever.
/// Must have returned NULL before any other function is called. Safe from any thread.
const char *mr_client_load(void);

/// Makes a client; NULL when there is no memory.
mr_client *mr_client_open(const mr_client_settings *settings);

/// Closes its connections and lets go of it.
void mr_client_close(mr_client *client);

/// Sends a request and waits for the answer, whose body is not kept.
/// `headers` is a list of `count` lines such as `Name: value`.
void mr_client_send(mr_client *client, const char *method, const char *url,
                    const char *const *headers, size_t count, const void *body, size_t length,
                    mr_reply *reply);

/// Connects, with TLS if the URL asks for it, and sends nothing.
void mr_client_try(mr_client *client, const char *url, mr_reply *reply);
