/* Any bytes typed at the prompt: edited, taken apart and shown; nothing runs over. */
#include "edit.h"
#include "escape.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_line(struct edit *e)
{
    char shown[ESCAPE_ROOM(EDIT_LEN_MAX)];
    char *words[WORDS_MAX];
    const char *why;
    int count;

    escape_text(shown, sizeof(shown), e->line, e->len);
    for (const char *p = shown; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            abort();
    /* The history keeps the line as it was. */
    char copy[EDIT_LEN_MAX + 1];

    memcpy(copy, e->line, sizeof(copy));
    count = words_split(copy, words, &why);
    for (int i = 0; i < count; i++)
        if (words[i] < copy || words[i] + strlen(words[i]) > copy + EDIT_LEN_MAX)
            abort();
    edit_clear(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct edit e;

    if (size == 0)
        return 0;
    edit_init(&e, "bulkhead> ", data[0] & 1);
    for (size_t i = 1; i < size; i++) {
        enum edit_result result = edit_byte(&e, data[i]);

        if (result == EDIT_LINE)
            use_line(&e);
        if (e.cursor > e.len || e.len > EDIT_LEN_MAX || e.line[e.len] != 0 ||
            strlen(e.line) != e.len || e.out_len > EDIT_OUT_MAX)
            abort();
        if (i % 3 == 0)
            e.out_len = 0;
    }
    return 0;
}
