#include "CJQ.h"

#include <dlfcn.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jq.h>

#include "Bounds.h"
#include "Refuge.h"

/* What is used of libjq, for each its name. The types are those of libjq's own header. */
#define FUNCTIONS(F)                                                                               \
    F(jq_init) F(jq_set_error_cb) F(jq_compile) F(jq_start) F(jq_next) F(jq_teardown) F(jq_halt)   \
    F(jq_halted) F(jv_parse_sized) F(jv_dump_string) F(jv_free) F(jv_copy) F(jv_get_kind)          \
    F(jv_invalid) F(jv_invalid_has_msg) F(jv_invalid_get_msg) F(jv_null) F(jv_string_value)        \
    F(jv_string_length_bytes) F(jv_true) F(jv_false) F(jv_number) F(jv_number_value)               \
    F(jv_string_sized) F(jv_object) F(jv_object_set) F(jv_object_length) F(jv_object_iter)         \
    F(jv_object_iter_next) F(jv_object_iter_valid) F(jv_object_iter_key) F(jv_object_iter_value)

#define POINTER(name) __typeof__(&name) name;
static struct {
    FUNCTIONS(POINTER)
    /* From 1.7 on: whether a number keeps the digits that it was written with. */
    int (*jv_number_has_literal)(jv);
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
    lib.jv_number_has_literal =
        (__typeof__(lib.jv_number_has_literal))dlsym(library, "jv_number_has_literal");
    mr_jq_bound(library);
}

const char *mr_jq_load(void) {
    pthread_once(&once, load);
    return problem;
}

/* An object of more members is handed over as text. */
#define MEMBERS 64

struct mr_jq {
    jq_state *state;
    /* What jq_next gave last: a value or the message of an error. */
    jv output;
    /* Its text, once somebody asked for it. */
    jv text;
    /* Its members, and the texts that belong to them. */
    mr_jq_member members[MEMBERS];
    jv member_texts[MEMBERS];
    size_t member_text_count;
    /* The names of an input's fields. */
    jv *names;
    size_t name_count;
    /* Whether the present run has given everything. */
    int has_ended;
    /* Whether it could not go on, and what it has of large blocks. */
    int has_failed;
    struct mr_jq_blocks blocks;
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

mr_jq *mr_jq_compile(const char *text, size_t limit, char **messages) {
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
    program->text = lib.jv_null();
    program->blocks.limit = limit;
    pthread_mutex_init(&program->lock, NULL);
    return program;
}

/* Lets go of what was handed out last. */
static void release_output(mr_jq *program) {
    lib.jv_free(program->output);
    program->output = lib.jv_null();
    lib.jv_free(program->text);
    program->text = lib.jv_null();
    while (program->member_text_count > 0)
        lib.jv_free(program->member_texts[--program->member_text_count]);
}

static void release_names(mr_jq *program) {
    while (program->name_count > 0) lib.jv_free(program->names[--program->name_count]);
    free(program->names);
    program->names = NULL;
}

void mr_jq_free(mr_jq *program) {
    release_output(program);
    release_names(program);
    lib.jq_teardown(&program->state);
    pthread_mutex_destroy(&program->lock);
    free(program);
}

static void set_run(mr_jq *program, int is_running) {
    pthread_mutex_lock(&program->lock);
    program->run = is_running ? ++program->last_run : 0;
    pthread_mutex_unlock(&program->lock);
}

/* Begins a run with a value, which is let go of when it is none. */
static int start(mr_jq *program, jv value) {
    if (lib.jv_get_kind(value) == JV_KIND_INVALID) {
        lib.jv_free(value);
        return MR_JQ_REFUSED;
    }
    lib.jq_start(program->state, value, 0);
    program->has_ended = 0;
    program->has_failed = 0;
    mr_jq_blocks = &program->blocks;
    set_run(program, 1);
    return MR_JQ_STARTED;
}

int mr_jq_start(mr_jq *program, const char *json, size_t count) {
    return start(program, lib.jv_parse_sized(json, (int)count));
}

int mr_jq_start_text(mr_jq *program, const char *utf8, size_t count) {
    return start(program, lib.jv_string_sized(utf8, (int)count));
}

int mr_jq_name_fields(mr_jq *program, const char *names, const size_t *ends, size_t count) {
    release_names(program);
    program->names = calloc(count + 1, sizeof *program->names);
    if (program->names == NULL) return 0;
    size_t from = 0;
    for (; program->name_count < count; program->name_count++) {
        size_t end = ends[program->name_count];
        program->names[program->name_count] = lib.jv_string_sized(names + from, (int)(end - from));
        from = end;
    }
    return 1;
}

/* The tags of `Cell` that are met here. */
enum { MISSING = 0, NIL = 1, BOOL = 2, INT = 3, DOUBLE = 4, DECIMAL = 5, NUMBER = 6, STRING = 7,
       JSON = 9 };

/* Every integer below has the same digits as the double that it becomes, with room for a point. */
static const int64_t exact_limit = 1000000000000000;

static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,
                                1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};

/* Makes a value of a cell; what it means exactly is what its JSON text would mean. */
static int make(const mr_jq_cell *cell, jv *value) {
    int64_t whole = (int64_t)cell->bits;
    const char *bytes = (const char *)(uintptr_t)cell->bits;
    double number;
    switch (cell->tag) {
    case NIL: *value = lib.jv_null(); return MR_JQ_STARTED;
    case BOOL: *value = cell->bits != 0 ? lib.jv_true() : lib.jv_false(); return MR_JQ_STARTED;
    case INT:
        if (whole <= -exact_limit || whole >= exact_limit) return MR_JQ_AS_TEXT;
        *value = lib.jv_number((double)whole);
        return MR_JQ_STARTED;
    case DECIMAL:
        if (whole <= -exact_limit || whole >= exact_limit) return MR_JQ_AS_TEXT;
        if (cell->scale >= sizeof powers / sizeof *powers) return MR_JQ_AS_TEXT;
        /* A number that keeps its digits keeps zeros at its end, too. */
        if (lib.jv_number_has_literal != NULL && whole % 10 == 0) return MR_JQ_AS_TEXT;
        /* Both are exact, so the quotient is the nearest double. */
        *value = lib.jv_number((double)whole / powers[cell->scale]);
        return MR_JQ_STARTED;
    case DOUBLE:
        memcpy(&number, &cell->bits, sizeof number);
        if (!isfinite(number)) return MR_JQ_AS_TEXT;
        *value = lib.jv_number(number);
        return MR_JQ_STARTED;
    case STRING:
        if (cell->length >= INT_MAX) return MR_JQ_AS_TEXT;
        *value = lib.jv_string_sized(bytes != NULL ? bytes : "", (int)cell->length);
        return MR_JQ_STARTED;
    case JSON:
        if (cell->length >= INT_MAX) return MR_JQ_AS_TEXT;
        *value = lib.jv_parse_sized(bytes, (int)cell->length);
        if (lib.jv_get_kind(*value) != JV_KIND_INVALID) return MR_JQ_STARTED;
        lib.jv_free(*value);
        return MR_JQ_REFUSED;
    default: return MR_JQ_AS_TEXT;
    }
}

int mr_jq_start_fields(mr_jq *program, const mr_jq_cell *cells) {
    jv object = lib.jv_object();
    for (size_t index = 0; index < program->name_count; index++) {
        if (cells[index].tag == MISSING) continue;
        jv value;
        int outcome = make(&cells[index], &value);
        if (outcome != MR_JQ_STARTED) {
            lib.jv_free(object);
            return outcome;
        }
        object = lib.jv_object_set(object, lib.jv_copy(program->names[index]), value);
    }
    return start(program, object);
}

int mr_jq_next(mr_jq *program) {
    release_output(program);
    jmp_buf here;
    /* Without the mask of signals, which would be a system call. */
    int reason = _setjmp(here);
    if (reason != 0) {
        mr_jq_refuge = NULL;
        program->has_failed = 1;
        return reason == MR_REFUGE_MEMORY ? MR_JQ_MEMORY : MR_JQ_FAILED;
    }
    mr_jq_refuge = &here;
    jv value = lib.jq_next(program->state);
    mr_jq_refuge = NULL;
    if (lib.jv_get_kind(value) != JV_KIND_INVALID) {
        program->output = value;
        return MR_JQ_VALUE;
    }
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
    program->output = message;
    if (lib.jv_get_kind(message) != JV_KIND_STRING) return MR_JQ_ERROR;
    program->text = lib.jv_copy(message);
    return strcmp(lib.jv_string_value(message), mr_jq_far_index) == 0 ? MR_JQ_FAR : MR_JQ_ERROR;
}

/* The JSON text of a value, which is let go of; an empty one when there is no room for it, as where a
   value holds another many times over. */
static jv dump(mr_jq *program, jv value) {
    jmp_buf here;
    if (_setjmp(here) != 0) {
        mr_jq_refuge = NULL;
        program->has_failed = 1;
        return lib.jv_string_sized("", 0);
    }
    mr_jq_refuge = &here;
    jv text = lib.jv_dump_string(value, 0);
    mr_jq_refuge = NULL;
    return text;
}

void mr_jq_text(mr_jq *program, const char **text, size_t *count) {
    if (lib.jv_get_kind(program->text) != JV_KIND_STRING)
        program->text = dump(program, lib.jv_copy(program->output));
    *text = lib.jv_string_value(program->text);
    *count = (size_t)lib.jv_string_length_bytes(lib.jv_copy(program->text));
}

int mr_jq_is_true(mr_jq *program) {
    jv_kind kind = lib.jv_get_kind(program->output);
    return kind != JV_KIND_NULL && kind != JV_KIND_FALSE;
}

/* Makes the cell that a number's JSON text would become; 0 when the text has to be read. */
static int set_number(jv value, mr_jq_cell *cell) {
    if (lib.jv_number_has_literal != NULL && lib.jv_number_has_literal(value)) return 0;
    double number = lib.jv_number_value(value);
    double size = fabs(number);
    /* Smaller ones have an exponent, and so has what is no number; zero may have a sign. */
    if (!(size < (double)exact_limit)) return 0;
    if (size < 1e-3) {
        if (number != 0 || signbit(number)) return 0;
        cell->tag = INT;
        return 1;
    }
    for (uint8_t scale = 0; scale <= 6; scale++) {
        double scaled = nearbyint(number * powers[scale]);
        if (!(fabs(scaled) < (double)exact_limit)) return 0;
        /* The quotient is the double nearest to a decimal of at most 15 digits, and there is no
           shorter one: that is how the number is written. */
        if (scaled / powers[scale] != number) continue;
        cell->bits = (uint64_t)(int64_t)scaled;
        cell->tag = scale == 0 ? INT : DECIMAL;
        cell->scale = scale;
        return 1;
    }
    return 0;
}

static void set_slice(mr_jq_cell *cell, uint8_t tag, jv text) {
    cell->tag = tag;
    cell->bits = (uint64_t)(uintptr_t)lib.jv_string_value(text);
    cell->length = (uint32_t)lib.jv_string_length_bytes(lib.jv_copy(text));
}

static void set_cell(mr_jq *program, jv value, mr_jq_cell *cell) {
    memset(cell, 0, sizeof *cell);
    jv_kind kind = lib.jv_get_kind(value);
    switch (kind) {
    case JV_KIND_NULL: cell->tag = NIL; break;
    case JV_KIND_FALSE: cell->tag = BOOL; break;
    case JV_KIND_TRUE:
        cell->tag = BOOL;
        cell->bits = 1;
        break;
    case JV_KIND_STRING: set_slice(cell, STRING, value); break;
    default:
        if (kind == JV_KIND_NUMBER && set_number(value, cell)) break;
        jv text = dump(program, lib.jv_copy(value));
        program->member_texts[program->member_text_count++] = text;
        set_slice(cell, kind == JV_KIND_NUMBER ? NUMBER : JSON, text);
    }
    /* The object has it still. */
    lib.jv_free(value);
}

long mr_jq_members(mr_jq *program, const mr_jq_member **members) {
    jv object = program->output;
    if (lib.jv_get_kind(object) != JV_KIND_OBJECT) return -1;
    if (lib.jv_object_length(lib.jv_copy(object)) > MEMBERS) return -1;
    long count = 0;
    for (int at = lib.jv_object_iter(object); lib.jv_object_iter_valid(object, at);
         at = lib.jv_object_iter_next(object, at)) {
        mr_jq_member *member = &program->members[count++];
        jv name = lib.jv_object_iter_key(object, at);
        member->name = lib.jv_string_value(name);
        member->name_count = (size_t)lib.jv_string_length_bytes(lib.jv_copy(name));
        lib.jv_free(name);
        set_cell(program, lib.jv_object_iter_value(object, at), &member->cell);
    }
    *members = program->members;
    return count;
}

void mr_jq_finish(mr_jq *program) {
    /* Nobody stops the program from here on. */
    set_run(program, 0);
    release_output(program);
    /* What a run that did not come to its end has on its stack may be nested so deeply that only a
       thread with a deep stack can let go of it: this one. */
    if (!program->has_ended) lib.jq_start(program->state, lib.jv_null(), 0);
    if (program->has_failed) mr_jq_free_blocks(&program->blocks);
    program->blocks.count = 0;
    mr_jq_blocks = NULL;
}

int mr_jq_has_failed(mr_jq *program) { return program->has_failed; }

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
