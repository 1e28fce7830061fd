/* printf into a buffer, as much of it as the core needs. */
#include <stdint.h>

#include "util/string.h"

struct out {
    char *buf;
    size_t size, len;
};

struct spec {
    bool left, zero;
    int width;
    int precision; /* negative: none */
    unsigned longs;
};

static void put(struct out *out, char c)
{
    if (out->len + 1 < out->size)
        out->buf[out->len++] = c;
}

static void put_padded(struct out *out, const struct spec *spec, const char *text, size_t len)
{
    size_t width = spec->width > 0 ? (size_t)spec->width : 0;
    size_t padding = width > len ? width - len : 0;
    bool zero = spec->zero && !spec->left;

    if (zero && len > 0 && *text == '-') {
        put(out, *text++);
        len--;
    }
    for (; !spec->left && padding > 0; padding--)
        put(out, zero ? '0' : ' ');
    for (size_t i = 0; i < len; i++)
        put(out, text[i]);
    for (; padding > 0; padding--)
        put(out, ' ');
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

static const char *parse_spec(const char *format, struct spec *spec, int star)
{
    *spec = (struct spec){.precision = -1};
    for (;; format++) {
        if (*format == '-')
            spec->left = true;
        else if (*format == '0')
            spec->zero = true;
        else
            break;
    }
    for (; *format >= '0' && *format <= '9'; format++)
        spec->width = spec->width * 10 + (*format - '0');
    if (*format == '.') {
        format++;
        spec->precision = 0;
        if (*format == '*') {
            spec->precision = star;
            format++;
        }
        for (; *format >= '0' && *format <= '9'; format++)
            spec->precision = spec->precision * 10 + (*format - '0');
    }
    for (; *format == 'l' || *format == 'z'; format++)
        spec->longs++;
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
        /* The only place for a star is "%.*s". */
        bool star = format[1] == '.' && format[2] == '*';
        format = parse_spec(format + 1, &spec, star ? va_arg(args, int) : 0);
        switch (*format) {
        case 'd': {
            int64_t v = spec.longs ? va_arg(args, long) : va_arg(args, int);
            put_number(&out, &spec, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, v < 0);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t v = spec.longs ? va_arg(args, unsigned long) : va_arg(args, unsigned);
            put_number(&out, &spec, v, *format == 'x' ? 16 : 10, false);
            break;
        }
        case 'p': put_number(&out, &spec, (uintptr_t)va_arg(args, void *), 16, false); break;
        case 's': {
            const char *s = va_arg(args, const char *);
            s = s ? s : "(null)";
            put_padded(&out, &spec, s,
                       strnlen(s, spec.precision < 0 ? SIZE_MAX : (size_t)spec.precision));
            break;
        }
        case 'c': put(&out, (char)va_arg(args, int)); break;
        case '\0': format--; break;
        default: put(&out, *format); break;
        }
    }
    if (size > 0)
        buf[out.len] = '\0';
    return out.len;
}

size_t string_format(char *buf, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    size_t len = string_vformat(buf, size, format, args);
    va_end(args);
    return len;
}
