/* printf into a buffer, as much of it as the core needs. */
#include <stdint.h>

#include "util/string.h"

struct out {
    char *buf;
    size_t size, len;
};

/* What stands between the percent sign and the letter. */
struct spec {
    bool zero, is_long;
    size_t width;
    size_t most; /* of a string */
};

static void put(struct out *out, char c)
{
    if (out->len + 1 < out->size)
        out->buf[out->len++] = c;
}

static void put_padded(struct out *out, const struct spec *spec, const char *text, size_t len)
{
    for (size_t n = len; n < spec->width; n++)
        put(out, spec->zero ? '0' : ' ');
    for (size_t i = 0; i < len; i++)
        put(out, text[i]);
}

static void put_number(struct out *out, const struct spec *spec, uint64_t value, unsigned base,
                       bool negative)
{
    char text[24];
    size_t at = sizeof(text);

    do {
        text[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (negative)
        text[--at] = '-';
    put_padded(out, spec, text + at, sizeof(text) - at);
}

static const char *parse_spec(const char *format, struct spec *spec)
{
    spec->zero = *format == '0';
    for (spec->width = 0; string_digit(*format) >= 0 && *format <= '9'; format++)
        spec->width = spec->width * 10 + (size_t)string_digit(*format);
    if (format[0] == '.' && format[1] == '*')
        format += 2;
    spec->is_long = *format == 'l';
    while (*format == 'l')
        format++;
    return format;
}

size_t string_vformat(char *buf, size_t size, const char *format, va_list args)
{
    struct out out = {buf, size, 0};

    for (; *format; format++) {
        struct spec spec;
        if (*format != '%') {
            put(&out, *format);
            continue;
        }
        format = parse_spec(format + 1, &spec);
        spec.most = format[-1] == '*' ? (size_t)va_arg(args, int) : SIZE_MAX;
        switch (*format) {
        case 'd': {
            int64_t v = spec.is_long ? va_arg(args, long) : va_arg(args, int);
            put_number(&out, &spec, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, v < 0);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t v = spec.is_long ? va_arg(args, unsigned long) : va_arg(args, unsigned);
            put_number(&out, &spec, v, *format == 'x' ? 16 : 10, false);
            break;
        }
        case 's': {
            const char *s = va_arg(args, const char *);
            put_padded(&out, &spec, s, strnlen(s, spec.most));
            break;
        }
        case '\0': format--; break;
        default: put(&out, *format); break; /* "%%" */
        }
    }
    if (size > 0)
        buf[out.len] = '\0';
    return out.len;
}

int string_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t string_format(char *buf, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    size_t len = string_vformat(buf, size, format, args);
    va_end(args);
    return len;
}
