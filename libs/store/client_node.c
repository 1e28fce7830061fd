/* The client's requests for nodes: read, write, list, permissions. */
#include <stdio.h>
#include <string.h>

#include "client.h"

/* Answers of this many requests may be under way; each answer is at most 4 KiB and a ring 1 KiB. */
#define WINDOW 16u

/* The value in c->message into the caller's buffer. */
static int value_copy(const struct store_client *c, int len, char *value, size_t size)
{
    if (len < 0)
        return len;
    if ((size_t)len >= size)
        return -XEN_E2BIG;
    memcpy(value, c->message.payload, (size_t)len);
    value[len] = 0;
    return len;
}

int store_read(struct store_client *c, uint32_t tx, char *value, size_t size, const char *path, ...)
{
    CLIENT_PATH(node, len);
    if (len < 0)
        return len;
    return value_copy(c,
                      client_request(c, XS_READ, tx, &(struct client_part){node, (size_t)len}, 1),
                      value, size);
}

int store_read_number(struct store_client *c, uint32_t tx, uint64_t *value, const char *path, ...)
{
    CLIENT_PATH(node, len);
    if (len < 0)
        return len;

    int got = client_request(c, XS_READ, tx, &(struct client_part){node, (size_t)len}, 1);

    if (got < 0)
        return got;
    /* The NUL behind the payload is ours; one inside it is not a digit. */
    if (strlen(c->message.payload) != (size_t)got)
        return -XEN_EINVAL;
    return store_number(c->message.payload, UINT64_MAX, value);
}

int store_exists(struct store_client *c, uint32_t tx, const char *path, ...)
{
    CLIENT_PATH(node, len);
    if (len < 0)
        return len;

    int got = client_request(c, XS_READ, tx, &(struct client_part){node, (size_t)len}, 1);

    return got >= 0 ? 1 : got == -XEN_ENOENT ? 0 : got;
}

int store_write(struct store_client *c, uint32_t tx, const char *value, const char *path, ...)
{
    CLIENT_PATH(node, len);
    if (len < 0)
        return len;

    struct client_part parts[] = {{node, (size_t)len}, {value, strlen(value)}};

    return client_command(c, XS_WRITE, tx, parts, 2);
}

int store_write_number(struct store_client *c, uint32_t tx, uint64_t value, const char *path, ...)
{
    char digits[24];

    CLIENT_PATH(node, len);
    if (len < 0)
        return len;

    int count = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
    struct client_part parts[] = {{node, (size_t)len}, {digits, (size_t)count}};

    return client_command(c, XS_WRITE, tx, parts, 2);
}

int store_mkdir(struct store_client *c, uint32_t tx, const char *path, ...)
{
    CLIENT_PATH(node, len);
    if (len < 0)
        return len;
    return client_command(c, XS_MKDIR, tx, &(struct client_part){node, (size_t)len}, 1);
}

int store_remove(struct store_client *c, uint32_t tx, const char *path, ...)
{
    CLIENT_PATH(node, len);
    if (len < 0)
        return len;
    return client_command(c, XS_RM, tx, &(struct client_part){node, (size_t)len}, 1);
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* Names in a payload of whole words; -XEN_EIO if the last one has no end or one is empty. */
static int names_count(struct store_client *c, const char *names, size_t len)
{
    struct store_words words = {names, len};
    const char *name;
    int count = 0;

    while ((name = store_word(&words)) != NULL) {
        if (*name == 0)
            return client_break(c, -XEN_EIO);
        count++;
    }
    return words.left ? client_break(c, -XEN_EIO) : count;
}

/* A list too long for one answer comes in parts, as long as its generation stays the same. */
static int list_parts(struct store_client *c, uint32_t tx, char *names, size_t size,
                      struct client_part path)
{
    char generation[24] = "";
    size_t have = 0;

    for (;;) {
        char offset[24];
        int digits = snprintf(offset, sizeof(offset), "%zu", have) + 1;
        struct client_part parts[] = {path, {offset, (size_t)digits}};
        int len = client_request(c, XS_DIRECTORY_PART, tx, parts, 2);

        if (len < 0)
            return len;

        struct store_words words = {c->message.payload, (size_t)len};
        const char *now = store_word(&words);

        if (!now || strlen(now) >= sizeof(generation))
            return client_break(c, -XEN_EIO);
        if (strcmp(now, generation) != 0) {
            /* The first part, or somebody changed the list: from the start. */
            memcpy(generation, now, strlen(now) + 1);
            if (have > 0) {
                have = 0;
                continue;
            }
        }

        /* The list's end is an empty name. */
        bool ended = words.left > 0 && words.at[words.left - 1] == 0 &&
                     (words.left == 1 || words.at[words.left - 2] == 0);
        size_t more = words.left - ended;

        if (more > size - have)
            return -XEN_E2BIG;
        memcpy(names + have, words.at, more);
        have += more;
        if (ended)
            return names_count(c, names, have);
        if (more == 0)
            return client_break(c, -XEN_EIO);
    }
}

int store_list(struct store_client *c, uint32_t tx, char *names, size_t size, const char *path, ...)
{
    CLIENT_PATH(node, len);
    if (len < 0)
        return len;

    struct client_part part = {node, (size_t)len};
    int got = client_request(c, XS_DIRECTORY, tx, &part, 1);

    if (got == -XEN_E2BIG)
        return list_parts(c, tx, names, size, part);
    if (got < 0)
        return got;
    if ((size_t)got > size)
        return -XEN_E2BIG;
    memcpy(names, c->message.payload, (size_t)got);
    return names_count(c, names, (size_t)got);
}

/* ---- many at once ---------------------------------------------------------------------------- */

struct batch {
    enum xsd_sockmsg_type type;
    uint32_t tx;
    size_t sent;
    size_t answered;
    int failed; /* the first request that could not be made; later ones are not sent */
    uint32_t first_id;
};

/* Sends the next request if it may go out now; true if it did. */
static bool batch_send(struct store_client *c, struct batch *b, const char *base, const char *name,
                       const char *value)
{
    struct client_part parts[] = {
        {base, strlen(base)}, {"/", 1}, {name, strlen(name) + 1}, {value, strlen(value)}};

    if (b->sent - b->answered >= WINDOW || b->failed)
        return false;

    int done = client_try_send(c, b->type, b->tx, parts, b->type == XS_WRITE ? 4 : 3);

    /* Alone in the ring it can be longer than the ring: then the plain way. */
    if (done < 0)
        b->failed = done;
    if (done <= 0)
        return false;
    if (b->sent++ == 0)
        b->first_id = c->last_id;
    return true;
}

/* The answer to the oldest request under way. */
static int batch_answer(struct store_client *c, struct batch *b)
{
    int got = client_answer(c, b->type, b->first_id + (uint32_t)b->answered);

    b->answered++;
    return got;
}

/* A request that does not fit into the ring at once, with no other under way. */
static int batch_alone(struct store_client *c, struct batch *b, const char *base, const char *name,
                       const char *value)
{
    struct client_part parts[] = {
        {base, strlen(base)}, {"/", 1}, {name, strlen(name) + 1}, {value, strlen(value)}};
    int got = b->failed ? b->failed
                        : client_request(c, b->type, b->tx, parts, b->type == XS_WRITE ? 4 : 3);

    b->failed = 0;
    b->sent++;
    b->answered++;
    b->first_id = c->last_id + 1 - (uint32_t)b->sent;
    return got;
}

int store_write_all(struct store_client *c, uint32_t tx, const struct store_pair *pairs,
                    size_t count, const char *base, ...)
{
    struct batch b = {.type = XS_WRITE, .tx = tx};
    char path[STORE_PATH_MAX + 1];
    va_list args;
    int result = 0;

    va_start(args, base);
    int len = client_path(path, base, args);
    va_end(args);
    if (len < 0)
        return len;
    while (b.answered < count) {
        const struct store_pair *pair = &pairs[b.sent];
        int got;

        if (b.sent < count && batch_send(c, &b, path, pair->path, pair->value))
            continue;
        if (b.sent > b.answered)
            got = batch_answer(c, &b);
        else
            got = batch_alone(c, &b, path, pair->path, pair->value);
        if (got < 0 && result == 0)
            result = got;
        if (c->broken)
            return c->broken;
    }
    return result;
}

int store_read_all(struct store_client *c, uint32_t tx, struct store_want *wants, size_t count,
                   const char *base, ...)
{
    struct batch b = {.type = XS_READ, .tx = tx};
    char path[STORE_PATH_MAX + 1];
    va_list args;

    va_start(args, base);
    int len = client_path(path, base, args);
    va_end(args);
    if (len < 0)
        return len;
    while (b.answered < count) {
        struct store_want *want = &wants[b.answered];
        int got;

        if (b.sent < count && batch_send(c, &b, path, wants[b.sent].path, ""))
            continue;
        if (b.sent > b.answered)
            got = batch_answer(c, &b);
        else
            got = batch_alone(c, &b, path, want->path, "");
        want->result = value_copy(c, got, want->value, want->size);
        if (c->broken)
            return c->broken;
    }
    return 0;
}

/* ---- permissions ----------------------------------------------------------------------------- */

int store_set_perms(struct store_client *c, uint32_t tx, const struct store_perm *perms,
                    size_t count, const char *path, ...)
{
    char text[STORE_PAYLOAD_MAX];
    size_t used = 0;

    CLIENT_PATH(node, len);
    if (len < 0)
        return len;
    for (size_t i = 0; i < count; i++) {
        if (used + STORE_PERM_SIZE > sizeof(text))
            return -XEN_E2BIG;
        used += store_perm_encode(text + used, perms[i]);
    }

    struct client_part parts[] = {{node, (size_t)len}, {text, used}};

    return client_command(c, XS_SET_PERMS, tx, parts, 2);
}

int store_get_perms(struct store_client *c, uint32_t tx, struct store_perm *perms, size_t max,
                    const char *path, ...)
{
    CLIENT_PATH(node, len);
    if (len < 0)
        return len;

    int got = client_request(c, XS_GET_PERMS, tx, &(struct client_part){node, (size_t)len}, 1);

    if (got < 0)
        return got;

    struct store_words words = {c->message.payload, (size_t)got};
    const char *word;
    size_t count = 0;

    while ((word = store_word(&words)) != NULL) {
        if (count == max)
            return -XEN_E2BIG;
        if (store_perm_decode(word, &perms[count++]) != 0)
            return client_break(c, -XEN_EIO);
    }
    return words.left || count == 0 ? client_break(c, -XEN_EIO) : (int)count;
}
