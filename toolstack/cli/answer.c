/* Takes apart what a back end says that it counted. */
#include "answer.h"

#include <errno.h>
#include <string.h>

/* A decimal number of 64 bits without anything around it; the end of it. NULL: it is none. */
static const char *read_decimal(const char *text, uint64_t *value)
{
    const char *at = text;

    for (*value = 0; *at >= '0' && *at <= '9'; at++) {
        if (__builtin_mul_overflow(*value, 10u, value) ||
            __builtin_add_overflow(*value, (uint64_t)(*at - '0'), value))
            return NULL;
    }
    return at == text ? NULL : at;
}

/* One word NAME=VALUE; the end of it. */
static const char *read_word(const char *text, struct answer_value *out)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");

    if (len == 0 || len >= sizeof(out->name) || text[len] != '=')
        return NULL;
    memcpy(out->name, text, len);
    out->name[len] = '\0';
    return read_decimal(text + len + 1, &out->value);
}

int answer_read(struct answer *answer, const char *text)
{
    uint64_t number;
    const char *at = read_decimal(text, &number);

    answer->count = 0;
    if (!at || number != answer->number || (*at != ' ' && *at != '\0'))
        return 0;
    while (*at == ' ') {
        if (answer->count == ANSWER_VALUES_MAX)
            return -EINVAL;
        at = read_word(at + 1, &answer->values[answer->count++]);
        if (!at)
            return -EINVAL;
    }
    return *at == '\0' && answer->count > 0 ? 1 : -EINVAL;
}
