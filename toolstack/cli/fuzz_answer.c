/* Any answer to a question for counters: what is taken from it is bounded and has the right form.
 */
#include "answer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct answer c;
    char *text = malloc(size + 1);
    int rc;

    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    c.number = 7;
    rc = answer_read(&c, text);
    if (rc > 0 && (strncmp(text, "7 ", 2) != 0 || c.count == 0))
        abort();
    if (rc > 0 && c.count > ANSWER_VALUES_MAX)
        abort();
    for (unsigned i = 0; rc > 0 && i < c.count; i++) {
        size_t len = strnlen(c.values[i].name, ANSWER_NAME_MAX);

        if (len == 0 || len == ANSWER_NAME_MAX ||
            strspn(c.values[i].name, "abcdefghijklmnopqrstuvwxyz0123456789_") != len)
            abort();
    }
    free(text);
    return 0;
}
