/* From a domain's bytes to what may be shown on somebody's terminal. */
#include "console/parts.h"

static size_t put_hex(uint8_t byte, char *out)
{
    static const char digits[] = "0123456789abcdef";

    out[0] = '\\';
    out[1] = 'x';
    out[2] = digits[byte >> 4];
    out[3] = digits[byte & 15];
    return 4;
}

/* Code points that move or hide other text, or that no terminal agrees on. */
static const struct {
    uint32_t first, last;
} unprintable[] = {
    {0x0, 0x1f},      {0x7f, 0x9f},     {0xad, 0xad},        {0x61c, 0x61c},   {0x180e, 0x180e},
    {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},    {0xd800, 0xf8ff}, {0xfeff, 0xfeff},
    {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0x10ffff},
};

static bool printable(uint32_t c)
{
    for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++)
        if (c >= unprintable[i].first && c <= unprintable[i].last)
            return false;
    return c <= 0x10ffff;
}

/* Length of the sequence that a first byte begins; 0: none does. */
static size_t sequence_len(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static uint32_t decode(const uint8_t *seq, size_t len)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = len == 1 ? seq[0] : seq[0] & (0x7fu >> len);

    for (size_t i = 1; i < len; i++)
        c = c << 6 | (seq[i] & 0x3f);
    return c < smallest[len] ? UINT32_MAX : c; /* an overlong form */
}

/* Shows what was held back as the single bytes it was. */
static size_t give_up(struct console_stream *s, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < s->pending_len; i++)
        n += put_hex(s->pending[i], out + n);
    s->pending_len = 0;
    return n;
}

size_t escape_byte(struct console_stream *s, uint8_t byte, char out[ESCAPE_MAX])
{
    size_t n = 0;

    if (s->cr) {
        s->cr = false;
        if (byte != '\n')
            n += put_hex('\r', out + n);
    }
    if (s->pending_len > 0 && (byte & 0xc0) != 0x80)
        n += give_up(s, out + n);
    if (byte == '\n') {
        out[n++] = '\n';
        return n;
    }
    if (byte == '\r') {
        s->cr = true;
        return n;
    }
    if (s->pending_len == 0 && sequence_len(byte) == 0)
        return n + put_hex(byte, out + n);

    s->pending[s->pending_len++] = byte;
    size_t len = sequence_len(s->pending[0]);
    if (s->pending_len < len)
        return n;
    if (!printable(decode(s->pending, len)))
        return n + give_up(s, out + n);
    for (size_t i = 0; i < len; i++)
        out[n++] = (char)s->pending[i];
    s->pending_len = 0;
    return n;
}
