/* Writes JSON piece by piece: what every --json listing is made with. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>

struct yajl_gen_t;

struct json {
    struct yajl_gen_t *gen;
    unsigned depth;
    bool failed; /* memory ran out, or the pieces do not fit together */
};

void json_init(struct json *json);

/* `key` names a member of an object; NULL in an array and at the top. */
void json_object_open(struct json *json, const char *key);
void json_object_close(struct json *json);
void json_array_open(struct json *json, const char *key);
void json_array_close(struct json *json);
void json_number(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);

/* NULL is null. What is not UTF-8 becomes U+FFFD: text may come from a guest. */
void json_string(struct json *json, const char *key, const char *value);

/* The text, ending in a newline, for the caller to free; NULL if anything failed. */
char *json_finish(struct json *json);

#endif
