/* What the compiler may call although nobody wrote it. */
#include <stddef.h>
#include <stdint.h>

void *memset(void *to, int value, size_t len);
void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
int memcmp(const void *a, const void *b, size_t len);

void *memset(void *to, int value, size_t len)
{
    void *p = to;

    __asm__ volatile("rep stosb" : "+D"(p), "+c"(len) : "a"(value) : "memory");
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    void *p = to;

    __asm__ volatile("rep movsb" : "+D"(p), "+S"(from), "+c"(len) : : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    uint8_t *p = to;
    const uint8_t *q = from;

    if (p < q)
        return memcpy(to, from, len);
    while (len--)
        p[len] = q[len];
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *p = a;
    const uint8_t *q = b;

    for (; len; len--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}
