/* Looks through the core's log. */
#include "corelog.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/control.h>
#include <hcall.h>

/* As much as the core keeps. */
#define LOG_MAX 65536u

/* All of it; NULL: no memory, or refused. */
static char *read_all(void)
{
    char *text = malloc(LOG_MAX + 1);
    struct xen_sysctl op;

    if (!text)
        return NULL;
    memset(&op, 0, sizeof(op));
    op.cmd = XEN_SYSCTL_readconsole;
    op.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    op.u.readconsole.count = LOG_MAX;
    set_xen_guest_handle(op.u.readconsole.buffer, text);
    if (hcall_control_log(&op) < 0 || op.u.readconsole.count > LOG_MAX) {
        free(text);
        return NULL;
    }
    text[op.u.readconsole.count] = 0;
    return text;
}

/* Registers follow the line, each on lines that begin so. */
static bool is_more(const char *line)
{
    return strncmp(line, "vCPU ", 5) == 0 || strncmp(line, "  ", 2) == 0;
}

/* The text of the lines from here on that belong together. */
static char *take_lines(const char *line)
{
    const char *end = line;

    do {
        const char *next = strchr(end, '\n');

        end = next ? next + 1 : end + strlen(end);
    } while (is_more(end));
    return strndup(line, (size_t)(end - line));
}

char *corelog_of_crash(domid_t domid, const char *name)
{
    char *text = read_all();
    char *found = NULL;
    char words[128];

    if (!text)
        return NULL;
    (void)snprintf(words, sizeof(words), "domain %u (%s) crashed: ", domid, name);
    for (char *at = text; (at = strstr(at, words)) != NULL; at++)
        if (at == text || at[-1] == '\n')
            found = at;
    if (found)
        found = take_lines(found);
    free(text);
    return found;
}
