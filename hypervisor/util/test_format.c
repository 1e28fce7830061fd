#include "util/string.h"

#include <stdint.h>

#include <check.h> /* not the one in this folder */

static char buf[64];

static bool is(const char *expected)
{
    return strcmp(buf, expected) == 0;
}

TEST(numbers)
{
    string_format(buf, sizeof(buf), "%d %u %x %lx", -5, 7u, 0xbeefu, 0x123456789abcdeful);
    EXPECT(is("-5 7 beef 123456789abcdef"));
    string_format(buf, sizeof(buf), "%d %ld %lu", INT32_MIN, INT64_MIN, UINT64_MAX);
    EXPECT(is("-2147483648 -9223372036854775808 18446744073709551615"));
    string_format(buf, sizeof(buf), "%llx", 0xfull);
    EXPECT(is("f"));
}

TEST(padding)
{
    string_format(buf, sizeof(buf), "[%5d|%05u|%016lx]", -42, 42u, 0xabcul);
    EXPECT(is("[  -42|00042|0000000000000abc]"));
    string_format(buf, sizeof(buf), "[%5s|%5s]", "ab", "abcdefg");
    EXPECT(is("[   ab|abcdefg]"));
}

TEST(strings)
{
    string_format(buf, sizeof(buf), "%s %% %.*s", "x", 2, "qrs");
    EXPECT(is("x % qr"));
}

TEST(too_long_is_cut)
{
    char small[5];

    EXPECT(string_format(small, sizeof(small), "%s", "abcdefgh") == 4);
    EXPECT(strcmp(small, "abcd") == 0);
    EXPECT(string_format(small, 1, "%d", 12345) == 0 && small[0] == '\0');
    EXPECT(string_format(small, 0, "x") == 0);
}
