#include "CJQ.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jq.h>

/* What is used of libjq, for each its name. The types are those of libjq's own header. */
#define FUNCTIONS(F)                                                                               \
    F(jq_init) F(jq_set_error_cb) F(jq_compile) F(jq_start) F(jq_next) F(jq_teardown) F(jq_halt)   \
    F(jq_halted) F(jv_parse_sized) F(jv_dump_string) F(jv_free) F(jv_copy) F(jv_get_kind)          \
    F(jv_invalid) F(jv_invalid_has_msg) F(jv_invalid_get_msg) F(jv_null) F(jv_string_value)        \
    F(jv_string_length_bytes)

#define POINTER(name) __typeof__(&name) name;
static struct {
    FUNCTIONS(POINTER)
} lib;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *problem;
static char problem_text[512];

static void load(void) {
    void *library = dlopen("libjq.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(problem_text, sizeof problem_text, "%s",
                 reason != NULL ? reason : "libjq.so.1 cannot be loaded");
        problem = problem_text;
        return;
    }
#define LOOKUP(name)                                                                               \
    if ((lib.name = (__typeof__(lib.name))dlsym(library, #name)) == NULL) {                        \
        snprintf(problem_text, sizeof problem_text, "libjq.so.1 is older than 1.6: it has no %s",  \
                 #name);                                                                           \
        problem = problem_text;                                                                    \
        return;                                                                                    \
    }
    FUNCTIONS(LOOKUP)
}

const char *mr_jq_load(void) {
    pthread_once(&once, load);
    return problem;
}

struct mr_jq {
    jq_state *state;
    /* The text handed out last. */
    jv output;
    /* Whether the present run has given everything. */
    int has_ended;
    pthread_mutex_t lock;
    /* With `lock` held: the number of the present run, 0 between runs, and of the last one. */
    unsigned long run;
    unsigned long last_run;
};

struct messages {
    char *text;
    size_t count;
};

static void note(void *context, jv message) {
    struct messages *messages = context;
    if (lib.jv_get_kind(message) == JV_KIND_STRING) {
        size_t count = (size_t)lib.jv_string_length_bytes(lib.jv_copy(message));
        char *text = realloc(messages->text, messages->count + count + 2);
        if (text != NULL) {
            memcpy(text + messages->count, lib.jv_string_value(message), count);
            messages->count += count;
            text[messages->count++] = '\n';
            text[messages->count] = 0;
            messages->text = text;
        }
    }
    lib.jv_free(message);
}

static void ignore(void *context, jv message) {
    (void)context;
    lib.jv_free(message);
}

mr_jq *mr_jq_compile(const char *text, char **messages) {
    struct messages collected = {NULL, 0};
    *messages = NULL;
    mr_jq *program = calloc(1, sizeof *program);
    if (program == NULL) return NULL;
    program->state = lib.jq_init();
    if (program->state == NULL) {
        free(program);
        return NULL;
    }
    lib.jq_set_error_cb(program->state, note, &collected);
    if (!lib.jq_compile(program->state, text)) {
        lib.jq_teardown(&program->state);
        free(program);
        *messages = collected.text;
        return NULL;
    }
    free(collected.text);
    lib.jq_set_error_cb(program->state, ignore, NULL);
    program->output = lib.jv_null();
    pthread_mutex_init(&program->lock, NULL);
    return program;
}

void mr_jq_free(mr_jq *program) {
    lib.jv_free(program->output);
    lib.jq_teardown(&program->state);
    pthread_mutex_destroy(&program->lock);
    free(program);
}

static void set_run(mr_jq *program, int is_running) {
    pthread_mutex_lock(&program->lock);
    program->run = is_running ? ++program->last_run : 0;
    pthread_mutex_unlock(&program->lock);
}

int mr_jq_start(mr_jq *program, const char *json, size_t count) {
    jv value = lib.jv_parse_sized(json, (int)count);
    if (lib.jv_get_kind(value) == JV_KIND_INVALID) {
        lib.jv_free(value);
        return 0;
    }
    lib.jq_start(program->state, value, 0);
    program->has_ended = 0;
    set_run(program, 1);
    return 1;
}

static int hand_out(mr_jq *program, jv text, int kind, const char **start, size_t *count) {
    lib.jv_free(program->output);
    program->output = text;
    *start = lib.jv_string_value(text);
    *count = (size_t)lib.jv_string_length_bytes(lib.jv_copy(text));
    return kind;
}

int mr_jq_next(mr_jq *program, const char **text, size_t *count) {
    jv value = lib.jq_next(program->state);
    if (lib.jv_get_kind(value) != JV_KIND_INVALID)
        return hand_out(program, lib.jv_dump_string(value, 0), MR_JQ_VALUE, text, count);
    if (lib.jq_halted(program->state)) {
        lib.jv_free(value);
        return MR_JQ_STOPPED;
    }
    if (!lib.jv_invalid_has_msg(lib.jv_copy(value))) {
        lib.jv_free(value);
        program->has_ended = 1;
        return MR_JQ_END;
    }
    jv message = lib.jv_invalid_get_msg(value);
    if (lib.jv_get_kind(message) != JV_KIND_STRING) message = lib.jv_dump_string(message, 0);
    return hand_out(program, message, MR_JQ_ERROR, text, count);
}

void mr_jq_finish(mr_jq *program) {
    /* Nobody stops the program from here on. */
    set_run(program, 0);
    lib.jv_free(program->output);
    program->output = lib.jv_null();
    /* What a run that did not come to its end has on its stack may be nested so deeply that only a
       thread with a deep stack can let go of it: this one. */
    if (!program->has_ended) lib.jq_start(program->state, lib.jv_null(), 0);
}

void mr_jq_stop(mr_jq *program, unsigned long run) {
    pthread_mutex_lock(&program->lock);
    /* libjq refuses to be stopped twice. */
    if (run != 0 && program->run == run && !lib.jq_halted(program->state))
        lib.jq_halt(program->state, lib.jv_invalid(), lib.jv_invalid());
    pthread_mutex_unlock(&program->lock);
}

unsigned long mr_jq_run(mr_jq *program) {
    pthread_mutex_lock(&program->lock);
    unsigned long run = program->run;
    pthread_mutex_unlock(&program->lock);
    return run;
}
