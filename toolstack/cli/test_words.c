/* Command lines taken apart, and text made safe to show. */
#include "words.h"

#include "escape.h"

#include <string.h>

#include <check.h>

static char line[256];
static char *words[WORDS_MAX];
static const char *why;

static int split(const char *text)
{
    memcpy(line, text, strlen(text) + 1);
    return words_split(line, words, &why);
}

TEST(words)
{
    EXPECT(split("") == 0);
    EXPECT(split("   \t ") == 0);
    EXPECT(split("# a comment") == 0);
    EXPECT(split("  list   --all # more") == 2);
    EXPECT(strcmp(words[0], "list") == 0 && strcmp(words[1], "--all") == 0);
    EXPECT(split("store write /a 'b c' \"d 'e\" f\\ g h#i ''") == 8);
    EXPECT(strcmp(words[3], "b c") == 0 && strcmp(words[4], "d 'e") == 0);
    EXPECT(strcmp(words[5], "f g") == 0 && strcmp(words[6], "h#i") == 0);
    EXPECT(split("a''b \\") == 2);
    EXPECT(strcmp(words[0], "ab") == 0 && strcmp(words[1], "\\") == 0);
    EXPECT(split("a ''") == 2 && words[1][0] == 0);
}

TEST(bad_lines)
{
    EXPECT(split("a 'b c") == -1 && strstr(why, "quote"));
    EXPECT(split("1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6") == 16);
    EXPECT(split("1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7") == -1 && strstr(why, "many"));
}

static bool becomes(const char *text, size_t len, const char *want)
{
    char out[256];

    return escape_text(out, sizeof(out), text, len) == strlen(want) && strcmp(out, want) == 0;
}

TEST(escapes)
{
    EXPECT(becomes("plain text", 10, "plain text"));
    EXPECT(becomes("a\nb\r\x1b[2J\x7f\0z", 11, "a\\x0ab\\x0d\\x1b[2J\\x7f\\x00z"));
    EXPECT(
        becomes("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
    EXPECT(becomes("\xc2\x9b", 2, "\\xc2\\x9b"));          /* CSI as one character */
    EXPECT(becomes("\xc0\x8a", 2, "\\xc0\\x8a"));          /* a newline, overlong */
    EXPECT(becomes("\xe2\x80\xae", 3, "\\xe2\\x80\\xae")); /* right to left */
    EXPECT(becomes("\xed\xa0\x80", 3, "\\xed\\xa0\\x80")); /* half a surrogate pair */
    EXPECT(becomes("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"));
    EXPECT(becomes("\xe2\x82", 2, "\\xe2\\x82"));
    EXPECT(becomes("\xff\x80", 2, "\\xff\\x80"));
}

TEST(escape_keeps_to_its_room)
{
    char out[8];

    EXPECT(escape_text(out, sizeof(out), "abcdefghij", 10) == 7);
    EXPECT(escape_text(out, sizeof(out), "abcd\x1b", 5) == 4 && strcmp(out, "abcd") == 0);
    EXPECT(escape_text(out, sizeof(out), "abcdef\xc3\xa4", 8) == 6);
    EXPECT(escape_text(out, 0, "a", 1) == 0);
}
