/*
 * Goes through an XML tree by a table with one row per element. What has no row
 * is refused, with a message that says what to write instead.
 */
#ifndef WALK_H
#define WALK_H

#include "source.h"

#define WALK_ATTRIBUTES_MAX 5
#define WALK_ROWS_MAX       64
#define WALK_ROOT           0 /* the row of the root element */

struct walk;

/* Keeps a value that has the right form; -ENOMEM is the only error. */
typedef int (*walk_set)(struct walk *walk, const char *text);

/* The value of an attribute, or the text in an element. */
struct walk_value {
    const char *name; /* of the attribute; NULL ends the list */
    bool required;
    const char *pattern; /* XML Schema's regular expressions, as in the .rng; NULL: any text */
    const char *except;  /* what the pattern matches and is not allowed all the same, or NULL */
    walk_set set;        /* NULL: there is one value only, nothing to keep */
    const char *write;   /* what to write instead of anything else */
    const char *why;     /* what to write instead of an exception */
};

enum walk_count { WALK_OPTIONAL, WALK_REQUIRED, WALK_MANY, WALK_SOME /* at least one */ };

struct walk_element {
    unsigned parent; /* row of the element it stands in; its own for the root */
    const char *name;
    const char *uri; /* namespace; NULL: none */
    enum walk_count count;
    bool first; /* before its siblings: libvirt's schema wants it so */
    bool has_text;
    struct walk_value text;          /* if has_text */
    int (*begin)(struct walk *walk); /* before its values are read; NULL: nothing to do */
    const char *write;               /* an example: what to write where it is missing */
    const char *meaning;             /* one line for docs and readers of the table */
    struct walk_value attributes[WALK_ATTRIBUTES_MAX];
};

/* What people will write and we do not honour: why, or what to write instead. */
struct walk_hint {
    const char *parent; /* element it stands in; NULL: any */
    const char *name;   /* of the element, or "@name" of an attribute of `parent` */
    const char *write;
};

struct walk_grammar {
    const struct walk_element *rows;
    size_t count;
    const struct walk_hint *hints; /* ends with a row without name */
};

struct walk {
    const struct walk_grammar *grammar;
    const struct source *source;
    struct diagnostics *list;
    void *out;             /* what the setters fill in */
    unsigned line;         /* of the element or value that is read now */
    unsigned element_line; /* of the element */
    unsigned wrong;        /* what the schema refuses as well */
    unsigned refused;      /* what only a look at the values can tell */
    uint64_t seen;         /* rows that occurred, one bit each */
};

/* Fills in walk->wrong and refused; 0 or -ENOMEM. */
int walk_run(struct walk *walk);

/* Complains about a value of the right form. */
void walk_refuse(struct walk *walk, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* True if the whole text matches one of XML Schema's regular expressions. */
bool walk_matches(const char *pattern, const char *text);

#endif
