/* What is wrong with a host's files: a list of `FILE:LINE: what is wrong: what to write instead`.
 */
#ifndef DIAGNOSTICS_H
#define DIAGNOSTICS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct diagnostic {
    char *file;    /* as host.xml names it: "/debian.xml"; host.xml itself is "host.xml" */
    unsigned line; /* from 1; 0: no line is to blame */
    char *text;    /* one line, without file and line */
};

/* Starts as {0}. */
struct diagnostics {
    struct diagnostic *items;
    size_t count;
    bool lost; /* memory ran out or there were too many: some are missing */
};

void diagnostics_add(struct diagnostics *list, const char *file, unsigned line, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));

void diagnostics_vadd(struct diagnostics *list, const char *file, unsigned line, const char *format,
                      va_list args) __attribute__((format(printf, 4, 0)));

/* "FILE:LINE: text" into a buffer, always terminated; cut if it does not fit. */
void diagnostics_format(const struct diagnostic *item, char *buffer, size_t len);

/* Sorts the items of one file, those from `first` on, by line. */
void diagnostics_sort(struct diagnostics *list, size_t first);

void diagnostics_free(struct diagnostics *list);

#endif
