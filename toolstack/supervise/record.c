/* Notes in the store for the control domain's next life. One that cannot be written stops nobody.
 */
#include "record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervise.h"

#define DOMAINS   "/bulkhead/domain"
#define LEAVING   "/bulkhead/leaving"
#define PATH_LEN  80
/* Names of nodes that are listed, 33 bytes each. */
#define NAMES_LEN 4096
#define FILE_LEN  1024
/* What stands for no image: that of its file. */
#define NO_IMAGE  "-"

static const char *const words[] = {[RECORD_RUNS] = "runs",
                                    [RECORD_RESTART] = "restart",
                                    [RECORD_STOPPED] = "stopped",
                                    [RECORD_FAILED] = "failed"};

/* A name may have characters that a path may not. */
static const char *path_of(const struct entry *e, const char *node, char path[PATH_LEN])
{
    size_t used = (size_t)snprintf(path, PATH_LEN, DOMAINS "/");

    for (size_t i = 0; i < sizeof(e->config->uuid); i++)
        used += (size_t)snprintf(path + used, PATH_LEN - used, "%02x", e->config->uuid[i]);
    (void)snprintf(path + used, PATH_LEN - used, "%s%s", node ? "/" : "", node ? node : "");
    return path;
}

static void note(struct supervise *s, const struct entry *e, const char *node, const char *value)
{
    char path[PATH_LEN];

    (void)!store_write(s->store, STORE_TX_NONE, value, "%s", path_of(e, node, path));
}

/* False: there is none, or it is too long. */
static bool look(struct supervise *s, const struct entry *e, const char *node, char *value,
                 size_t size)
{
    char path[PATH_LEN];

    return store_read(s->store, STORE_TX_NONE, value, size, "%s", path_of(e, node, path)) >= 0;
}

void record_next(struct supervise *s, const struct entry *e, enum record_next next)
{
    note(s, e, "next", words[next]);
}

enum record_next record_next_of(struct supervise *s, const struct entry *e)
{
    char word[16];

    if (look(s, e, "next", word, sizeof(word)))
        for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            if (strcmp(word, words[i]) == 0)
                return (enum record_next)i;
    return RECORD_RUNS;
}

void record_created(struct supervise *s, const struct entry *e)
{
    note(s, e, "file", e->config->file);
}

bool record_is_created(struct supervise *s, const struct entry *e)
{
    char file[FILE_LEN];

    return look(s, e, "file", file, sizeof(file)) && strcmp(file, e->config->file) == 0;
}

void record_each_created(struct supervise *s, record_found *found, void *context)
{
    static char names[NAMES_LEN];
    char file[FILE_LEN];
    int count = store_list(s->store, STORE_TX_NONE, names, sizeof(names), DOMAINS);
    const char *name = names;

    for (int i = 0; i < count; i++, name = store_next_name(name))
        if (store_read(s->store, STORE_TX_NONE, file, sizeof(file), DOMAINS "/%s/file", name) >= 0)
            found(context, file);
}

void record_backends(struct supervise *s, const struct entry *e)
{
    size_t count = config_served_count(e->config);
    char text[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < count && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%u ", e->backends[i]);
    if (count > 0)
        note(s, e, "backends", text);
}

void record_backends_of(struct supervise *s, struct entry *e)
{
    char text[512];
    char *at = text;

    if (!look(s, e, "backends", text, sizeof(text)))
        return;
    for (size_t i = 0; i < config_served_count(e->config) && *at != 0; i++)
        e->backends[i] = (domid_t)strtoul(at, &at, 10);
}

void record_image(struct supervise *s, const struct entry *e)
{
    char path[PATH_LEN];

    if (e->image)
        note(s, e, "image", e->image);
    else
        (void)!store_remove(s->store, STORE_TX_NONE, "%s", path_of(e, "image", path));
    if (e->trial)
        note(s, e, "trial", e->last_image ? e->last_image : NO_IMAGE);
    else
        (void)!store_remove(s->store, STORE_TX_NONE, "%s", path_of(e, "trial", path));
}

void record_image_of(struct supervise *s, struct entry *e)
{
    char image[FILE_LEN];

    if (look(s, e, "image", image, sizeof(image)))
        e->image = strdup(image);
    if (e->image && look(s, e, "trial", image, sizeof(image))) {
        e->last_image = strcmp(image, NO_IMAGE) != 0 ? strdup(image) : NULL;
        upgrade_try(e);
    }
}

void record_forget(struct supervise *s, const struct entry *e)
{
    char path[PATH_LEN];

    (void)!store_remove(s->store, STORE_TX_NONE, "%s", path_of(e, NULL, path));
}

void record_leave(struct supervise *s, uint64_t time)
{
    (void)!store_write_number(s->store, STORE_TX_NONE, time, LEAVING);
}

bool record_is_leaving(struct supervise *s)
{
    return store_exists(s->store, STORE_TX_NONE, LEAVING) > 0;
}

uint64_t record_leave_time(struct supervise *s)
{
    uint64_t time = 0;

    (void)!store_read_number(s->store, STORE_TX_NONE, &time, LEAVING);
    return time;
}
