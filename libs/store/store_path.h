/* The rules for names of nodes. Pure. */
#ifndef STORE_PATH_H
#define STORE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include <abi/store.h>

/* Levels below the root: a limit of ours, so that no path costs much. */
#define STORE_DEPTH_MAX 64u

/* Room for the home of any domain, "/local/domain/65535", with its NUL. */
#define STORE_HOME_SIZE 20u

/* A path made absolute. */
struct store_path {
    size_t len; /* without the NUL */
    char text[STORE_PATH_MAX + 1];
};

/* "/local/domain/<domid>"; its length. */
size_t store_home(char home[STORE_HOME_SIZE], domid_t domid);

/*
 * The absolute form of a path that a domain named; -XEN_EINVAL if it breaks the
 * rules: characters [A-Za-z0-9-/_@], no empty level, no slash at the end but of
 * the root, lengths and depth within their limits, no '@' in front.
 */
int store_path_make(struct store_path *path, const char *name, domid_t domid);

/* Whether a watch may name it besides paths: '@' and characters as above. */
bool store_path_is_special(const char *name);

/* Length of the parent's path; 0 for the root, which has none. */
size_t store_path_parent(const char *path, size_t len);

/* Where the last level's name begins. */
static inline const char *store_path_name(const char *path, size_t len)
{
    size_t parent = store_path_parent(path, len);

    return path + parent + (parent > 1);
}

#endif
