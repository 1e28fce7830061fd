/* Any bytes of a domain become printable UTF-8 and line feeds, whatever pieces they come in. */
#include <stdlib.h>

#include "check.h"

#include "console/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void check_fail(const char *file, int line, const char *what)
{
    (void)file, (void)line, (void)what;
    abort();
}

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Length of the well-formed, harmless character that begins here; 0: none does. */
static size_t character(const uint8_t *p, size_t left)
{
    if (*p == '\n' || (*p >= 0x20 && *p < 0x7f))
        return 1;
    size_t len = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;
    if (len == 0 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len == 2 && *p == 0xc2 && p[1] < 0xa0 ? 0 : len; /* C1 controls */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct console_stream s = {0};
    char out[ESCAPE_MAX];

    for (size_t i = 0; i < size; i++) {
        size_t n = escape_byte(&s, data[i], out);
        check(n <= ESCAPE_MAX);
        for (size_t at = 0; at < n;) {
            size_t len = character((const uint8_t *)out + at, n - at);
            check(len > 0);
            at += len;
        }
        /* A line feed comes through at once, and only one that was sent. */
        check((n > 0 && out[n - 1] == '\n') == (data[i] == '\n'));
    }
    return 0;
}
