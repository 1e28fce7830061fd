/* The memory functions that a compiler may call, and string helpers. */
#include "util/string.h"

#include <stdint.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    void *d = dst;
    size_t words = n >> 3, rest = n & 7;

    __asm__ volatile("rep movsq\n\tmovl %k3, %%ecx\n\trep movsb"
                     : "+D"(d), "+S"(src), "+&c"(words)
                     : "r"(rest)
                     : "memory");
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    char *d = dst;
    const char *s = src;

    if ((uintptr_t)dst - (uintptr_t)src >= n)
        return memcpy(dst, src, n);
    while (n-- > 0)
        d[n] = s[n];
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    void *d = dst;
    size_t words = n >> 3, rest = n & 7;
    uint64_t pattern = (uint8_t)c * 0x0101010101010101u;

    __asm__ volatile("rep stosq\n\tmovl %k2, %%ecx\n\trep stosb"
                     : "+D"(d), "+&c"(words)
                     : "r"(rest), "a"(pattern)
                     : "memory");
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n > 0; n--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

size_t strlen(const char *s)
{
    return strnlen(s, SIZE_MAX);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    size_t i = 0;

    while (a[i] && a[i] == b[i])
        i++;
    return (uint8_t)a[i] - (uint8_t)b[i];
}
