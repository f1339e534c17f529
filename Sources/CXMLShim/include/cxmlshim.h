#pragma once
/// libxml2's push parser behind a list of events.
///
/// Bytes go in piece by piece; out come events that a reader takes at its own pace, so it can stop
/// anywhere. No tree, no network, no external subset, no entity but the five that XML itself has.
/// One thread at a time uses a parser.
#include <stddef.h>
#include <stdint.h>

typedef struct mr_xml_parser mr_xml_parser;

/// Stands for a place in the document that is not known.
enum { MR_XML_NOWHERE = -1 };

/// The kinds of events.
enum {
    /// An element begins. `name`. If its depth is one that a record can have, `place` is that of
    /// its `<` and `length` the line there.
    MR_XML_START = 1,
    /// An attribute that the element that began last was written with. `name` and a value.
    /// Defaults that a DTD gives are left out.
    MR_XML_ATTRIBUTE = 2,
    /// The element that began last has `xsi:nil="true"`. `name` of the attribute.
    MR_XML_NIL = 3,
    /// Characters, entities resolved and CDATA included: a value. Two of these never follow one
    /// another.
    MR_XML_TEXT = 4,
    /// An element ends. If its depth is one that a record can have, `place` is behind its `>` and
    /// `length` the line there.
    MR_XML_END = 5,
    /// All of an element without attributes that holds text alone, or nothing. `name` and a value.
    /// Only at a depth that no record can have; at others it is a start, text and an end.
    MR_XML_LEAF = 6,
};

/// One event.
typedef struct {
    /// The local or qualified name. One name is one address for as long as the parser lives.
    const char *name;
    /// An offset in the document: of a value, where it stands there as it is, byte for byte.
    int64_t place;
    /// The index of a value in the text.
    size_t text;
    /// The byte count of a value, or a line.
    uint32_t length;
    uint8_t kind;
    /// Whether a value was longer than allowed, and cut.
    uint8_t is_cut;
    /// Whether text is white space only.
    uint8_t is_blank;
    /// Whether the event before it is the end of an element.
    uint8_t follows_end;
} mr_xml_event;

/// Where and why parsing ended.
enum {
    MR_XML_NO_ERROR = 0,
    /// The document is not well-formed, or its encoding is not what it says.
    MR_XML_MALFORMED = 1,
    /// Elements are nested deeper than allowed.
    MR_XML_TOO_DEEP = 2,
    /// A reference to an entity that XML itself does not define.
    MR_XML_ENTITY = 3,
    MR_XML_NO_MEMORY = 4,
};

typedef struct {
    int32_t kind;
    /// libxml2's number of the error.
    int32_t code;
    int32_t line;
    int32_t column;
    /// The reason, without a line end; for ::MR_XML_ENTITY the entity's name. May be empty.
    char message[160];
} mr_xml_error;

typedef struct {
    /// Elements may be nested so deep.
    uint32_t max_depth;
    /// The depths at which elements can be records; the root's is 1.
    uint32_t first_record_depth;
    uint32_t last_record_depth;
    /// A text or attribute value may have so many bytes; the rest is cut.
    size_t max_text;
    /// Whether names are `prefix:local` rather than `local`.
    int keeps_prefixes;
    /// Whether the input is UTF-8 whatever the document says.
    int is_utf8;
} mr_xml_options;

/// Makes a parser, or returns NULL when there is no memory.
mr_xml_parser *mr_xml_create(const mr_xml_options *options);

void mr_xml_destroy(mr_xml_parser *parser);

/// Parses the next `count` bytes, at most INT_MAX; `is_last` says that none follow.
///
/// Appends events. Returns 0, or another value when parsing has ended with an error; events up to
/// the error are there.
int mr_xml_feed(mr_xml_parser *parser, const void *bytes, size_t count, int is_last);

/// The events not yet forgotten.
///
/// When more bytes come, the last one may still grow or go, and the last two may become a leaf.
///
/// Valid until the next call that is not `mr_xml_text`.
const mr_xml_event *mr_xml_events(const mr_xml_parser *parser, size_t *count);

/// The text that events point into. Valid as long as the events.
const uint8_t *mr_xml_text(const mr_xml_parser *parser);

/// Forgets the first `count` events.
void mr_xml_forget(mr_xml_parser *parser, size_t count);

/// Whether offsets count bytes of the input, because it is UTF-8.
int mr_xml_has_offsets(const mr_xml_parser *parser);

/// The bytes of input that the parser has understood.
int64_t mr_xml_offset(const mr_xml_parser *parser);

const mr_xml_error *mr_xml_last_error(const mr_xml_parser *parser);
