/* The rules for names of nodes. */
#include "store_path.h"

#include <stdint.h>
#include <string.h>

static const char home_prefix[] = "/local/domain/";
#define HOME_PREFIX (sizeof(home_prefix) - 1)

size_t store_home(char home[STORE_HOME_SIZE], domid_t domid)
{
    char digits[5];
    size_t count = 0;
    size_t len = HOME_PREFIX;

    memcpy(home, home_prefix, HOME_PREFIX);
    do {
        digits[count++] = (char)('0' + domid % 10);
        domid /= 10;
    } while (domid);
    while (count > 0)
        home[len++] = digits[--count];
    home[len] = 0;
    return len;
}

static bool is_allowed(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '/' || c == '_' || c == '@';
}

/* What stands below a domain's home may be shorter than other paths. */
static bool fits_home(const char *text, size_t len)
{
    size_t at = HOME_PREFIX;

    if (len <= HOME_PREFIX || memcmp(text, home_prefix, HOME_PREFIX) != 0)
        return true;
    while (at < len && at < HOME_PREFIX + 5 && text[at] >= '0' && text[at] <= '9')
        at++;
    return at == HOME_PREFIX || text[at] != '/' || len - at - 1 <= XENSTORE_REL_PATH_MAX;
}

static bool is_valid(const char *text, size_t len)
{
    unsigned depth = 0;

    for (size_t i = 0; i < len; i++) {
        if (!is_allowed(text[i]))
            return false;
        if (text[i] != '/')
            continue;
        depth++;
        if (i > 0 && text[i - 1] == '/')
            return false;
    }
    return (len == 1 || text[len - 1] != '/') && depth <= STORE_DEPTH_MAX && fits_home(text, len);
}

int store_path_make(struct store_path *path, const char *name, domid_t domid)
{
    size_t len = strlen(name);
    size_t home = 0;

    if (name[0] == '@' || len > STORE_PATH_MAX)
        return -XEN_EINVAL;
    if (name[0] != '/') {
        if (len > XENSTORE_REL_PATH_MAX)
            return -XEN_EINVAL;
        home = store_home(path->text, domid);
        path->text[home++] = '/';
    }
    memcpy(path->text + home, name, len + 1);
    path->len = home + len;
    return is_valid(path->text, path->len) ? 0 : -XEN_EINVAL;
}

bool store_path_is_special(const char *name)
{
    size_t len = strlen(name);

    if (name[0] != '@' || len > XENSTORE_REL_PATH_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_allowed(name[i]))
            return false;
    return true;
}

size_t store_path_parent(const char *path, size_t len)
{
    if (len <= 1)
        return 0;
    while (path[len - 1] != '/')
        len--;
    return len > 1 ? len - 1 : 1;
}
