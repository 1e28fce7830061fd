/* Writes JSON piece by piece, by yajl. */
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>

static void note(struct json *json, yajl_gen_status status)
{
    if (status != yajl_gen_status_ok)
        json->failed = true;
}

void json_init(struct json *json)
{
    json->gen = yajl_gen_alloc(NULL);
    json->depth = 0;
    json->failed = !json->gen;
    if (json->gen)
        (void)yajl_gen_config(json->gen, yajl_gen_beautify, 1);
    if (json->gen)
        (void)yajl_gen_config(json->gen, yajl_gen_indent_string, "  ");
}

/* Length of the UTF-8 sequence at `at`, which ends before `end`; 0 if it is none. */
static size_t sequence(const unsigned char *at, const unsigned char *end)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    uint32_t code = len == 1 ? *at : *at & (0x7fu >> len);

    if (*at > 0xf4 || len == 0 || (size_t)(end - at) < len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (at[i] & 0x3f);
    }
    if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    return len;
}

static void write_text(struct json *json, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t len = strlen(text);
    const unsigned char *end = at + len;
    unsigned char *clean = malloc(3 * len + 1);
    size_t used = 0;

    if (!clean) {
        json->failed = true;
        return;
    }
    while (at < end) {
        size_t part = sequence(at, end);

        memcpy(clean + used, part ? at : (const unsigned char *)"\xef\xbf\xbd", part ? part : 3);
        used += part ? part : 3;
        at += part ? part : 1;
    }
    note(json, yajl_gen_string(json->gen, clean, used));
    free(clean);
}

/* True if a value may follow. */
static bool begin(struct json *json, const char *key)
{
    if (!json->failed && key)
        write_text(json, key);
    return !json->failed;
}

void json_object_open(struct json *json, const char *key)
{
    if (begin(json, key))
        note(json, yajl_gen_map_open(json->gen));
    json->depth++;
}

void json_object_close(struct json *json)
{
    if (!json->failed)
        note(json, yajl_gen_map_close(json->gen));
    json->depth--;
}

void json_array_open(struct json *json, const char *key)
{
    if (begin(json, key))
        note(json, yajl_gen_array_open(json->gen));
    json->depth++;
}

void json_array_close(struct json *json)
{
    if (!json->failed)
        note(json, yajl_gen_array_close(json->gen));
    json->depth--;
}

void json_number(struct json *json, const char *key, uint64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%" PRIu64, value);

    if (begin(json, key))
        note(json, yajl_gen_number(json->gen, text, (size_t)len));
}

void json_bool(struct json *json, const char *key, bool value)
{
    if (begin(json, key))
        note(json, yajl_gen_bool(json->gen, value));
}

void json_string(struct json *json, const char *key, const char *value)
{
    if (!begin(json, key))
        return;
    if (value)
        write_text(json, value);
    else
        note(json, yajl_gen_null(json->gen));
}

char *json_finish(struct json *json)
{
    const unsigned char *text = NULL;
    size_t len = 0;
    char *copy = NULL;

    if (!json->failed)
        note(json, yajl_gen_get_buf(json->gen, &text, &len));
    if (!json->failed && json->depth == 0 && len > 0)
        copy = strndup((const char *)text, len);
    if (json->gen)
        yajl_gen_free(json->gen);
    json->gen = NULL;
    return copy;
}
