#include "cxmlshim.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct mr_xml_parser {
    xmlParserCtxtPtr context;
    mr_xml_options options;
    const xmlChar *nil;
    uint32_t depth;
    /// The kind of the event added last.
    uint8_t last_kind;
    mr_xml_event *events;
    size_t event_count;
    size_t event_capacity;
    uint8_t *text;
    size_t text_count;
    size_t text_capacity;
    mr_xml_error error;
};

// MARK: Errors

static void fail(mr_xml_parser *parser, int kind, int code, int line, int column,
                 const char *message) {
    if (parser->error.kind != MR_XML_NO_ERROR) return;
    mr_xml_error *error = &parser->error;
    error->kind = kind;
    error->code = code;
    error->line = line;
    error->column = column;
    size_t length = message ? strcspn(message, "\r\n") : 0;
    if (length >= sizeof error->message) length = sizeof error->message - 1;
    // Cut between characters.
    while (length > 0 && message[length] && ((uint8_t)message[length] & 0xC0) == 0x80) length--;
    if (length > 0) memcpy(error->message, message, length);
    error->message[length] = 0;
}

/// Ends parsing because of something libxml2 would go on with.
static void stop(mr_xml_parser *parser, int kind, const char *message) {
    xmlParserCtxtPtr context = parser->context;
    fail(parser, kind, 0, xmlSAX2GetLineNumber(context), xmlSAX2GetColumnNumber(context),
         message);
    xmlStopParser(context);
}

static void on_error(void *user, xmlErrorPtr error) {
    mr_xml_parser *parser = user;
    // Namespace errors (undeclared prefixes) leave a document readable.
    int isHarmless = error->level < XML_ERR_ERROR || error->domain == XML_FROM_NAMESPACE;
    if (isHarmless || error->code == XML_ERR_USER_STOP) return;
    fail(parser, MR_XML_MALFORMED, error->code, error->line, error->int2, error->message);
}

// MARK: Lists

static int grow(void **base, size_t *capacity, size_t needed, size_t size) {
    if (needed <= *capacity) return 1;
    size_t larger = *capacity ? *capacity * 2 : 1024;
    while (larger < needed) larger *= 2;
    void *fresh = realloc(*base, larger * size);
    if (!fresh) return 0;
    *base = fresh;
    *capacity = larger;
    return 1;
}

static mr_xml_event *add_event(mr_xml_parser *parser, uint8_t kind) {
    if (parser->event_count == parser->event_capacity
        && !grow((void **)&parser->events, &parser->event_capacity, parser->event_count + 1,
                 sizeof(mr_xml_event))) {
        stop(parser, MR_XML_NO_MEMORY, NULL);
        return NULL;
    }
    mr_xml_event *event = &parser->events[parser->event_count++];
    *event = (mr_xml_event){
        .kind = kind,
        .place = MR_XML_NOWHERE,
        .text = parser->text_count,
        .follows_end = parser->last_kind == MR_XML_END,
    };
    parser->last_kind = kind;
    return event;
}

static mr_xml_event *last_event(mr_xml_parser *parser) {
    return parser->event_count ? &parser->events[parser->event_count - 1] : NULL;
}

/// Appends bytes to a value, as far as it may grow.
static void extend(mr_xml_parser *parser, mr_xml_event *event, const xmlChar *bytes,
                   size_t count) {
    size_t room = parser->options.max_text - event->length;
    if (count > room) {
        count = room;
        event->is_cut = 1;
    }
    // 16 bytes more, so that scanners of 16 bytes stay inside.
    size_t needed = parser->text_count + count + 16;
    if (needed > parser->text_capacity
        && !grow((void **)&parser->text, &parser->text_capacity, needed, 1)) {
        stop(parser, MR_XML_NO_MEMORY, NULL);
        return;
    }
    memcpy(parser->text + parser->text_count, bytes, count);
    parser->text_count += count;
    event->length += (uint32_t)count;
}

static void drop_last_text(mr_xml_parser *parser) {
    parser->text_count -= last_event(parser)->length;
    parser->event_count--;
}

// MARK: Callbacks

static int is_space(xmlChar byte) {
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static int64_t offset_of(xmlParserInputPtr input, const xmlChar *place) {
    return (int64_t)input->consumed + (place - input->base);
}

/// Where `count` bytes that libxml2 gave stand in the document, if they do as they are.
static int64_t place_of(mr_xml_parser *parser, const xmlChar *bytes, size_t count) {
    xmlParserInputPtr input = parser->context->input;
    if (bytes < input->base || bytes > input->end || (size_t)(input->end - bytes) < count) {
        return MR_XML_NOWHERE;
    }
    return offset_of(input, bytes);
}

static void on_characters(void *user, const xmlChar *bytes, int signed_count) {
    mr_xml_parser *parser = user;
    size_t count = (size_t)signed_count;
    int64_t place = place_of(parser, bytes, count);
    mr_xml_event *event = last_event(parser);
    if (!event || event->kind != MR_XML_TEXT) {
        event = add_event(parser, MR_XML_TEXT);
        if (!event) return;
        event->is_blank = 1;
        event->place = place;
    } else if (event->place == MR_XML_NOWHERE || event->place + event->length != place) {
        // Something stands between the two, or one of them is not as it stands there.
        event->place = MR_XML_NOWHERE;
    }
    for (size_t i = 0; event->is_blank && i < count; i++) event->is_blank = is_space(bytes[i]);
    extend(parser, event, bytes, count);
}

static const char *qualified(mr_xml_parser *parser, const xmlChar *local,
                             const xmlChar *prefix) {
    if (!prefix || !parser->options.keeps_prefixes) return (const char *)local;
    const xmlChar *name = xmlDictQLookup(parser->context->dict, prefix, local);
    if (!name) stop(parser, MR_XML_NO_MEMORY, NULL);
    return (const char *)(name ? name : local);
}

static int is_true(const xmlChar *value, const xmlChar *end) {
    size_t count = (size_t)(end - value);
    return (count == 4 && memcmp(value, "true", 4) == 0) || (count == 1 && *value == '1');
}

/// Adds an attribute's value. Without a tree libxml2 leaves each ampersand of a value as `&#38;`;
/// any other reference has been resolved or has stopped the parser.
static void extend_value(mr_xml_parser *parser, mr_xml_event *event, const xmlChar *value,
                         const xmlChar *end) {
    static const char ampersand[] = "&#38;";
    const size_t length = sizeof ampersand - 1;
    event->place = place_of(parser, value, (size_t)(end - value));
    const xmlChar *place;
    while ((place = memchr(value, '&', (size_t)(end - value)))) {
        event->place = MR_XML_NOWHERE;
        extend(parser, event, value, (size_t)(place - value) + 1);
        int is_kept = (size_t)(end - place) >= length && memcmp(place, ampersand, length) == 0;
        value = place + (is_kept ? length : 1);
    }
    extend(parser, event, value, (size_t)(end - value));
}

static void add_attribute(mr_xml_parser *parser, const xmlChar **attribute) {
    static const char instance[] = "http://www.w3.org/2001/XMLSchema-instance";
    const xmlChar *value = attribute[3], *end = attribute[4];
    if (attribute[0] == parser->nil && attribute[2] && is_true(value, end)
        && strcmp((const char *)attribute[2], instance) == 0) {
        mr_xml_event *mark = add_event(parser, MR_XML_NIL);
        if (mark) mark->name = qualified(parser, attribute[0], attribute[1]);
        return;
    }
    mr_xml_event *event = add_event(parser, MR_XML_ATTRIBUTE);
    if (!event) return;
    event->name = qualified(parser, attribute[0], attribute[1]);
    extend_value(parser, event, value, end);
}

static int can_be_record(const mr_xml_parser *parser) {
    return parser->depth >= parser->options.first_record_depth
        && parser->depth <= parser->options.last_record_depth;
}

/// Notes where the element stands whose start has just been parsed.
static void set_start(mr_xml_parser *parser, mr_xml_event *event) {
    // The parser stands behind the attributes, and no `<` can be among them.
    xmlParserInputPtr input = parser->context->input;
    const xmlChar *place = input->cur;
    uint32_t line = (uint32_t)input->line;
    while (place > input->base && *--place != '<') line -= *place == '\n';
    event->place = offset_of(input, place);
    event->length = line;
}

static void on_start(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
                     int namespace_count, const xmlChar **namespaces, int attribute_count,
                     int default_count, const xmlChar **attributes) {
    (void)uri, (void)namespace_count, (void)namespaces;
    mr_xml_parser *parser = user;
    if (++parser->depth > parser->options.max_depth) {
        stop(parser, MR_XML_TOO_DEEP, NULL);
        return;
    }
    // White space before an element is layout.
    mr_xml_event *last = last_event(parser);
    if (last && last->kind == MR_XML_TEXT && last->is_blank) drop_last_text(parser);

    mr_xml_event *event = add_event(parser, MR_XML_START);
    if (!event) return;
    event->name = qualified(parser, local, prefix);
    if (can_be_record(parser)) set_start(parser, event);
    // Those that only the DTD gives come last; a record is what stands in the document.
    int written = attribute_count - default_count;
    for (int i = 0; i < written; i++) add_attribute(parser, attributes + 5 * i);
}

/// Makes a leaf of the element that ends, if its start and at most one text are the last events.
static int make_leaf(mr_xml_parser *parser) {
    size_t count = parser->event_count;
    if (count == 0) return 0;
    mr_xml_event *last = &parser->events[count - 1];
    if (last->kind == MR_XML_TEXT && count > 1 && last[-1].kind == MR_XML_START) {
        mr_xml_event *start = last - 1;
        start->place = last->place;
        start->text = last->text;
        start->length = last->length;
        start->is_cut = last->is_cut;
        parser->event_count--;
        last = start;
    } else if (last->kind != MR_XML_START) {
        return 0;
    }
    last->kind = MR_XML_LEAF;
    parser->last_kind = MR_XML_END;
    return 1;
}

static void on_end(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri) {
    (void)local, (void)prefix, (void)uri;
    mr_xml_parser *parser = user;
    int is_record = can_be_record(parser);
    parser->depth--;
    // White space behind an element is layout; in an element without any it is its text.
    mr_xml_event *last = last_event(parser);
    if (last && last->kind == MR_XML_TEXT && last->is_blank && last->follows_end) {
        drop_last_text(parser);
    }
    if (!is_record && make_leaf(parser)) return;
    mr_xml_event *event = add_event(parser, MR_XML_END);
    if (!event || !is_record) return;
    event->place = offset_of(parser->context->input, parser->context->input->cur);
    event->length = (uint32_t)parser->context->input->line;
}

/// Called for a reference to any entity but XML's own five.
static xmlEntityPtr on_entity(void *user, const xmlChar *name) {
    stop(user, MR_XML_ENTITY, (const char *)name);
    return NULL;
}

// MARK: Parser

static pthread_once_t initialized = PTHREAD_ONCE_INIT;

static void initialize(void) { xmlInitParser(); }

mr_xml_parser *mr_xml_create(const mr_xml_options *options) {
    pthread_once(&initialized, initialize);
    mr_xml_parser *parser = calloc(1, sizeof *parser);
    if (!parser) return NULL;
    parser->options = *options;

    xmlSAXHandler handler;
    memset(&handler, 0, sizeof handler);
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = on_start;
    handler.endElementNs = on_end;
    handler.characters = on_characters;
    handler.cdataBlock = on_characters;
    handler.ignorableWhitespace = on_characters;
    handler.getEntity = on_entity;
    handler.getParameterEntity = on_entity;
    handler.serror = on_error;
    parser->context = xmlCreatePushParserCtxt(&handler, parser, NULL, 0, NULL);
    if (!parser->context) {
        free(parser);
        return NULL;
    }
    int flags = XML_PARSE_NONET | (options->is_utf8 ? XML_PARSE_IGNORE_ENC : 0);
    xmlCtxtUseOptions(parser->context, flags);
    parser->nil = xmlDictLookup(parser->context->dict, (const xmlChar *)"nil", 3);
    return parser;
}

void mr_xml_destroy(mr_xml_parser *parser) {
    if (!parser) return;
    // Declarations of entities make libxml2 keep a document, even without a tree.
    if (parser->context->myDoc) xmlFreeDoc(parser->context->myDoc);
    parser->context->myDoc = NULL;
    xmlFreeParserCtxt(parser->context);
    free(parser->events);
    free(parser->text);
    free(parser);
}

int mr_xml_feed(mr_xml_parser *parser, const void *bytes, size_t count, int is_last) {
    if (parser->error.kind != MR_XML_NO_ERROR) return 1;
    int result = xmlParseChunk(parser->context, bytes, (int)count, is_last);
    if (parser->error.kind != MR_XML_NO_ERROR) return 1;
    if (result != XML_ERR_OK && !parser->context->wellFormed) {
        fail(parser, MR_XML_MALFORMED, result, xmlSAX2GetLineNumber(parser->context),
             xmlSAX2GetColumnNumber(parser->context), NULL);
        return 1;
    }
    return 0;
}

const mr_xml_event *mr_xml_events(const mr_xml_parser *parser, size_t *count) {
    *count = parser->event_count;
    return parser->events;
}

const uint8_t *mr_xml_text(const mr_xml_parser *parser) { return parser->text; }

void mr_xml_forget(mr_xml_parser *parser, size_t count) {
    size_t rest = parser->event_count - count;
    memmove(parser->events, parser->events + count, rest * sizeof(mr_xml_event));
    parser->event_count = rest;
    // Events are in the order of the document, and so are their values in the text.
    size_t start = rest ? parser->events[0].text : parser->text_count;
    for (size_t i = 0; i < rest; i++) parser->events[i].text -= start;
    parser->text_count -= start;
    if (parser->text_count) memmove(parser->text, parser->text + start, parser->text_count);
}

int mr_xml_has_offsets(const mr_xml_parser *parser) {
    xmlParserInputPtr input = parser->context->input;
    return !(input && input->buf && input->buf->encoder);
}

int64_t mr_xml_offset(const mr_xml_parser *parser) {
    xmlParserInputPtr input = parser->context->input;
    return input ? offset_of(input, input->cur) : 0;
}

const mr_xml_error *mr_xml_last_error(const mr_xml_parser *parser) { return &parser->error; }
