/* Encoding and decoding of the store's messages. */
#include "store_wire.h"

#include <string.h>

/* The protocol's errors, in the order of its header; unknown ones travel as the first. */
static const struct {
    int number;
    const char *name;
} errors[] = {
    {XEN_EINVAL, "EINVAL"}, {XEN_EACCES, "EACCES"},   {XEN_EEXIST, "EEXIST"},
    {XEN_EISDIR, "EISDIR"}, {XEN_ENOENT, "ENOENT"},   {XEN_ENOMEM, "ENOMEM"},
    {XEN_ENOSPC, "ENOSPC"}, {XEN_EIO, "EIO"},         {XEN_ENOTEMPTY, "ENOTEMPTY"},
    {XEN_ENOSYS, "ENOSYS"}, {XEN_EROFS, "EROFS"},     {XEN_EBUSY, "EBUSY"},
    {XEN_EAGAIN, "EAGAIN"}, {XEN_EISCONN, "EISCONN"}, {XEN_E2BIG, "E2BIG"},
    {XEN_EPERM, "EPERM"},
};
#define ERROR_COUNT (sizeof(errors) / sizeof(errors[0]))

const char *store_error_name(int error)
{
    for (size_t i = 0; i < ERROR_COUNT; i++)
        if (errors[i].number == -error)
            return errors[i].name;
    return errors[0].name;
}

int store_error_number(const char *name, size_t len)
{
    for (size_t i = 0; i < ERROR_COUNT; i++)
        if (strlen(errors[i].name) == len && memcmp(errors[i].name, name, len) == 0)
            return -errors[i].number;
    return -XEN_EINVAL;
}

const char *store_word(struct store_words *words)
{
    const char *word = words->at;
    const char *end = words->left ? memchr(word, 0, words->left) : NULL;

    if (!end)
        return NULL;

    size_t len = (size_t)(end - word) + 1;

    words->at += len;
    words->left -= len;
    return word;
}

int store_number(const char *text, uint64_t max, uint64_t *number)
{
    uint64_t value = 0;

    if (*text == 0)
        return -XEN_EINVAL;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -XEN_EINVAL;

        unsigned digit = (unsigned)(*text - '0');

        if (value > (max - digit) / 10 || digit > max)
            return -XEN_EINVAL;
        value = value * 10 + digit;
    }
    *number = value;
    return 0;
}

int store_perm_decode(const char *text, struct store_perm *perm)
{
    uint64_t domid;

    if (*text == 0 || !strchr("nrwb", *text) || store_number(text + 1, UINT16_MAX, &domid) != 0)
        return -XEN_EINVAL;
    *perm = (struct store_perm){(domid_t)domid, *text};
    return 0;
}

size_t store_perm_encode(char text[STORE_PERM_SIZE], struct store_perm perm)
{
    char digits[5];
    size_t count = 0;
    size_t len = 0;

    do {
        digits[count++] = (char)('0' + perm.domid % 10);
        perm.domid /= 10;
    } while (perm.domid);
    text[len++] = perm.letter;
    while (count > 0)
        text[len++] = digits[--count];
    text[len++] = 0;
    return len;
}
