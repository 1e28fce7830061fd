/* The store's requests: one row each, one small reader of the payload each. */
#include <stdio.h>
#include <string.h>

#include "request.h"

static struct view view(const struct request *r)
{
    return (struct view){r->s, r->d, r->tx};
}

int request_answer(struct request *r, const char *text)
{
    size_t len = strlen(text) + 1;

    memcpy(r->answer->payload, text, len);
    return (int)len;
}

/* "OK", or the error. */
int request_acknowledge(struct request *r, int error)
{
    return error < 0 ? error : request_answer(r, "OK");
}

/* The payload's next word as a path. */
static int take_path(struct request *r, struct store_path *path)
{
    const char *name = store_word(&r->words);

    return name ? store_path_make(path, name, r->d->domid) : -XEN_EINVAL;
}

/* The payload is words, each with its NUL, and nothing behind the last. */
static bool is_words(const struct request *r)
{
    return r->words.left > 0 && r->words.at[r->words.left - 1] == 0;
}

int request_number(struct request *r, uint64_t max, uint64_t *number)
{
    const char *word = store_word(&r->words);

    return word ? store_number(word, max, number) : -XEN_EINVAL;
}

/* The record of the node that the payload's first word names. */
static int take_node(struct request *r, unsigned want, struct record **record)
{
    struct store_path path;
    struct view v = view(r);
    int error = is_words(r) ? take_path(r, &path) : -XEN_EINVAL;

    return error ? error : node_get(&v, &path, want, record);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static int do_read(struct request *r)
{
    struct record *record;
    int error = take_node(r, PERM_READ, &record);

    if (error != 0)
        return error;
    if (record->value_len > STORE_PAYLOAD_MAX)
        return -XEN_E2BIG;
    if (record->value_len)
        memcpy(r->answer->payload, record->value, record->value_len);
    return (int)record->value_len;
}

static int do_directory(struct request *r)
{
    struct record *record;
    int error = take_node(r, PERM_READ, &record);

    if (error != 0)
        return error;
    if (record->children_len > STORE_PAYLOAD_MAX)
        return -XEN_E2BIG;
    if (record->children_len)
        memcpy(r->answer->payload, record->children, record->children_len);
    return (int)record->children_len;
}

/* The list's generation, then whole names from an offset on; an empty name ends the list. */
static int do_directory_part(struct request *r)
{
    struct record *record;
    uint64_t offset;
    int error = take_node(r, PERM_READ, &record);

    if (error == 0)
        error = request_number(r, UINT32_MAX, &offset);
    if (error != 0)
        return error;

    char *out = r->answer->payload;
    int used = snprintf(out, 24, "%llu", (unsigned long long)record->generation) + 1;
    struct store_words names = {record->children, record->children_len};

    if (offset > names.left)
        offset = names.left;
    names.at += offset;
    names.left -= offset;
    for (;;) {
        const char *name = store_word(&names);
        size_t len = name ? strlen(name) + 1 : 1;

        if ((size_t)used + len > STORE_PAYLOAD_MAX)
            return used;
        memcpy(out + used, name ? name : "", len);
        used += (int)len;
        if (!name)
            return used;
    }
}

static int do_write(struct request *r)
{
    struct store_path path;
    struct view v = view(r);
    int error = take_path(r, &path);

    return request_acknowledge(r,
                               error ? error : node_write(&v, &path, r->words.at, r->words.left));
}

static int do_mkdir(struct request *r)
{
    struct store_path path;
    struct view v = view(r);
    int error = is_words(r) ? take_path(r, &path) : -XEN_EINVAL;

    return request_acknowledge(r, error ? error : node_mkdir(&v, &path));
}

static int do_rm(struct request *r)
{
    struct store_path path;
    struct view v = view(r);
    int error = is_words(r) ? take_path(r, &path) : -XEN_EINVAL;

    return request_acknowledge(r, error ? error : node_rm(&v, &path));
}

static int do_get_perms(struct request *r)
{
    struct record *record;
    size_t used = 0;
    int error = take_node(r, PERM_READ, &record);

    if (error != 0)
        return error;
    for (unsigned i = 0; i < record->perm_count; i++)
        used += store_perm_encode(r->answer->payload + used, record->perms[i]);
    return (int)used;
}

static int do_set_perms(struct request *r)
{
    struct store_path path;
    struct store_perm perms[PERMS_MAX];
    unsigned count = 0;
    struct view v = view(r);
    int error = is_words(r) ? take_path(r, &path) : -XEN_EINVAL;
    const char *word;

    if (error != 0)
        return error;
    while ((word = store_word(&r->words)) != NULL) {
        if (count == PERMS_MAX)
            return -XEN_ENOSPC;
        error = store_perm_decode(word, &perms[count++]);
        if (error != 0)
            return error;
    }
    return count ? request_acknowledge(r, node_set_perms(&v, &path, perms, count)) : -XEN_EINVAL;
}

/* ---- watches and transactions ---------------------------------------------------------------- */

static int do_watch(struct request *r)
{
    const char *name = store_word(&r->words);
    const char *token = store_word(&r->words);

    return request_acknowledge(r, token ? watch_add(r->s, r->d, name, token) : -XEN_EINVAL);
}

static int do_unwatch(struct request *r)
{
    const char *name = store_word(&r->words);
    const char *token = store_word(&r->words);

    return request_acknowledge(r, token ? watch_remove(r->s, r->d, name, token) : -XEN_EINVAL);
}

static int do_reset_watches(struct request *r)
{
    server_reset(r->s, r->d);
    return request_answer(r, "OK");
}

static int do_transaction_start(struct request *r)
{
    uint32_t id;

    if (r->tx)
        return -XEN_EBUSY;

    int error = tx_start(r->s, r->d, &id);

    return error ? error : snprintf(r->answer->payload, 16, "%u", id) + 1;
}

static int do_transaction_end(struct request *r)
{
    const char *word = store_word(&r->words);
    bool commit = word && strcmp(word, "T") == 0;

    if (!r->tx || (!commit && (!word || strcmp(word, "F") != 0)))
        return r->tx ? -XEN_EINVAL : -XEN_ENOENT;
    return request_acknowledge(r, tx_end(r->s, r->d, r->tx, commit));
}

/* ---- the table ------------------------------------------------------------------------------- */

#define ONLY_PRIVILEGED  (1u << 0)
#define IN_A_TRANSACTION (1u << 1) /* others do not look at the transaction's number */

static const struct {
    request_handler handler;
    unsigned flags;
} requests[XS_TYPE_COUNT] = {
    [XS_DIRECTORY] = {do_directory, IN_A_TRANSACTION},
    [XS_DIRECTORY_PART] = {do_directory_part, IN_A_TRANSACTION},
    [XS_READ] = {do_read, IN_A_TRANSACTION},
    [XS_WRITE] = {do_write, IN_A_TRANSACTION},
    [XS_MKDIR] = {do_mkdir, IN_A_TRANSACTION},
    [XS_RM] = {do_rm, IN_A_TRANSACTION},
    [XS_GET_PERMS] = {do_get_perms, IN_A_TRANSACTION},
    [XS_SET_PERMS] = {do_set_perms, IN_A_TRANSACTION},
    [XS_WATCH] = {do_watch, 0},
    [XS_UNWATCH] = {do_unwatch, 0},
    [XS_RESET_WATCHES] = {do_reset_watches, 0},
    [XS_TRANSACTION_START] = {do_transaction_start, IN_A_TRANSACTION},
    [XS_TRANSACTION_END] = {do_transaction_end, IN_A_TRANSACTION},
    [XS_INTRODUCE] = {request_introduce, ONLY_PRIVILEGED},
    [XS_RELEASE] = {request_release, ONLY_PRIVILEGED},
    [XS_GET_DOMAIN_PATH] = {request_get_domain_path, 0},
    [XS_IS_DOMAIN_INTRODUCED] = {request_is_introduced, 0},
    [XS_RESUME] = {request_resume, ONLY_PRIVILEGED},
    [XS_SET_TARGET] = {request_set_target, ONLY_PRIVILEGED},
};

static int dispatch(struct request *r, const struct xsd_sockmsg *header)
{
    if (header->type >= XS_TYPE_COUNT || !requests[header->type].handler)
        return -XEN_ENOSYS;

    unsigned flags = requests[header->type].flags;

    if ((flags & ONLY_PRIVILEGED) && !r->d->privileged)
        return -XEN_EACCES;
    if ((flags & IN_A_TRANSACTION) && header->tx_id != 0) {
        r->tx = tx_find(r->d, header->tx_id);
        if (!r->tx)
            return -XEN_ENOENT;
    }
    return requests[header->type].handler(r);
}

void server_refuse(struct server_message *answer, int error)
{
    const char *name = store_error_name(error);

    answer->header.type = XS_ERROR;
    answer->header.len = (uint32_t)strlen(name) + 1;
    memcpy(answer->payload, name, answer->header.len);
}

struct server_todo server_request(struct store_server *s, struct store_domain *d,
                                  const struct xsd_sockmsg *header, const char *payload,
                                  struct server_message *answer)
{
    struct request r = {.s = s, .d = d, .words = {payload, header->len}, .answer = answer};
    int result = dispatch(&r, header);

    answer->header = *header;
    if (result < 0)
        server_refuse(answer, result);
    else
        answer->header.len = (uint32_t)result;
    domain_trim(s);
    return r.todo;
}
