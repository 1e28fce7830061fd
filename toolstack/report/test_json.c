/* JSON writing: nesting, numbers, and text that a guest may have made up. */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_tree.h>

#include "check.h"

static bool finishes_as(struct json *json, const char *expected)
{
    char *text = json_finish(json);
    bool same = text && strcmp(text, expected) == 0;

    free(text);
    return same;
}

TEST(nesting)
{
    struct json json;

    json_init(&json);
    json_array_open(&json, NULL);
    json_object_open(&json, NULL);
    json_string(&json, "name", "a");
    json_number(&json, "n", UINT64_MAX);
    json_bool(&json, "b", true);
    json_string(&json, "none", NULL);
    json_object_close(&json);
    json_number(&json, NULL, 0);
    json_array_close(&json);
    EXPECT(finishes_as(&json, "[\n  {\n    \"name\": \"a\",\n    \"n\": 18446744073709551615,\n"
                              "    \"b\": true,\n    \"none\": null\n  },\n  0\n]\n"));
}

TEST(what_is_not_complete_fails)
{
    struct json json;

    json_init(&json);
    json_object_open(&json, NULL);
    EXPECT(json_finish(&json) == NULL);
    json_init(&json);
    json_object_open(&json, NULL);
    json_number(&json, NULL, 1); /* a key must be text */
    json_object_close(&json);
    EXPECT(json_finish(&json) == NULL);
    json_init(&json);
    EXPECT(json_finish(&json) == NULL);
}

TEST(text_of_guests)
{
    struct json json;

    json_init(&json);
    json_string(&json, NULL,
                "\x1b[2J\"\\\n\xc3\xa4\xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82");
    EXPECT(finishes_as(&json, "\"\\u001B[2J\\\"\\\\\\n\xc3\xa4"
                              "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                              "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                              "\xef\xbf\xbd\xef\xbf\xbd\"\n"));
}

TEST(every_byte_gives_valid_json)
{
    for (unsigned a = 1; a < 256; a++) {
        for (unsigned b = 1; b < 256; b++) {
            const char text[] = {(char)a, (char)b, 'x', '\0'};
            struct json json;
            char error[80];

            json_init(&json);
            json_array_open(&json, NULL);
            json_string(&json, NULL, text);
            json_array_close(&json);
            char *out = json_finish(&json);
            yajl_val tree = out ? yajl_tree_parse(out, error, sizeof(error)) : NULL;

            EXPECT(tree != NULL);
            yajl_tree_free(tree);
            free(out);
        }
    }
}
