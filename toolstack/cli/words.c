/* Splits a command line, with a shell's simplest rules of quoting. */
#include "words.h"

#include <stdbool.h>
#include <stddef.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copies one word down to *to and ends it; returns where to go on, NULL on an open quote. */
static char *take_word(char *from, char **to)
{
    char quote = 0;
    bool more = true;

    while (more && *from) {
        char c = *from;

        if (quote ? c == quote : c == '\'' || c == '"') {
            if (quote)
                quote = 0;
            else
                quote = c;
            from++;
        } else if (!quote && is_blank(c)) {
            more = false;
        } else {
            if (c == '\\' && quote != '\'' && from[1])
                from++;
            *(*to)++ = *from++;
        }
    }
    if (quote)
        return NULL;
    /* The blank is read before the closing zero may take its place. */
    if (*from)
        from++;
    *(*to)++ = 0;
    return from;
}

int words_split(char *line, char *words[WORDS_MAX], const char **why)
{
    int count = 0;

    for (;;) {
        char *to;

        while (is_blank(*line))
            line++;
        if (*line == 0 || *line == '#')
            return count;
        if (count == WORDS_MAX) {
            *why = "too many words";
            return -1;
        }
        to = line;
        words[count++] = line;
        line = take_word(line, &to);
        if (!line) {
            *why = "a quote is not closed";
            return -1;
        }
    }
}
