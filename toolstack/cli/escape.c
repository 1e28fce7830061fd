/* Decides which bytes a terminal may see: printable UTF-8, nothing that moves, hides or asks. */
#include "escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The character at the front and its bytes; 0 if it is no well-formed UTF-8. */
static size_t decode(const uint8_t *text, size_t len, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t count = text[0] < 0x80   ? 1
                   : text[0] < 0xc0 ? 0
                   : text[0] < 0xe0 ? 2
                   : text[0] < 0xf0 ? 3
                   : text[0] < 0xf8 ? 4
                                    : 0;

    if (count == 0 || count > len)
        return 0;
    *c = count == 1 ? text[0] : text[0] & (0x7fu >> count);
    for (size_t i = 1; i < count; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (text[i] & 0x3fu);
    }
    return *c < least[count] ? 0 : count;
}

/* Control characters, and those that only change how their neighbours look. */
static bool is_printable(uint32_t c)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } hidden[] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
        {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xd800, 0xdfff},
        {0xe000, 0xf8ff}, {0xfeff, 0xfeff}, {0xfff0, 0xffff}, {0xe0000, UINT32_MAX},
    };

    for (unsigned i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (c >= hidden[i].first && c <= hidden[i].last)
            return false;
    return true;
}

size_t escape_text(char *out, size_t room, const char *text, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;

    if (room == 0)
        return 0;
    for (size_t i = 0; i < len;) {
        const uint8_t *at = (const uint8_t *)text + i;
        uint32_t c = 0;
        size_t count = decode(at, len - i, &c);
        bool plain = count > 0 && is_printable(c);
        size_t need = plain ? count : 4;

        if (used + need + 1 > room)
            break;
        if (plain) {
            memcpy(out + used, at, count);
        } else {
            memcpy(out + used, "\\x", 2);
            out[used + 2] = digits[at[0] >> 4];
            out[used + 3] = digits[at[0] & 15];
            count = 1;
        }
        used += need;
        i += count;
    }
    out[used] = 0;
    return used;
}
