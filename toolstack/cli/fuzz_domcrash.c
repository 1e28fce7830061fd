/*
 * Any bytes as what a domain left of itself: the first are its life page from the
 * record on, the rest its stack. Whatever they are, domcrash shows them and ends.
 */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/control.h>
#include <build/mapped.h>
#include <crash/tiny.h>
#include <hcall.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char name[] = "block";
static char kernel[] = "/bulkhead/block.elf";
static struct domain_config config = {.name = name, .kernel = kernel};
static struct evidence remains;
static struct entry entry = {.config = &config, .evidence = &remains};
static size_t shown;

/* ---- what the verb calls ----------------------------------------------------------------------
 */

struct entry *cli_domain(struct cli *cli, const char *text)
{
    (void)cli, (void)text;
    return &entry;
}

void cli_print(const char *format, ...)
{
    char text[LIFE_LOG + 256];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(text))
        abort();
    shown += (size_t)len;
}

int mapped_open(const struct config_root *root, const char *path, struct mapped *file)
{
    (void)root, (void)path;
    file->bytes = tiny_image(&file->len);
    return 0;
}

void mapped_close(struct mapped *file)
{
    (void)file;
}

bool config_is_image(const struct domain_config *domain)
{
    return domain == &config;
}

/* The core's log is the domain's as well, as far as it can make the core write there. */
int hcall_control_log(struct xen_sysctl *arg)
{
    size_t len = remains.stack_len;

    memcpy(arg->u.readconsole.buffer.p, remains.stack, len);
    arg->u.readconsole.count = (uint32_t)len;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t first = offsetof(struct life_page, end);
    size_t page = size < sizeof(remains.page) - first ? size : sizeof(remains.page) - first;
    size_t stack = size - page < EVIDENCE_STACK ? size - page : EVIDENCE_STACK;
    static char verb[] = "domcrash";
    char *argv[] = {verb, name};
    struct cli cli = {0};

    memset(&remains, 0, sizeof(remains));
    remains.what = "crashed";
    remains.kernel = kernel;
    remains.domid = 1;
    remains.has_page = true;
    if (page > 0)
        memcpy((uint8_t *)&remains.page + first, data, page);
    if (stack > 0)
        memcpy(remains.stack, data + page, stack);
    remains.stack_base = remains.page.end.registers[LIFE_RSP] & ~(uint64_t)7;
    remains.stack_len = stack;
    shown = 0;
    if (verb_domcrash(&cli, 2, argv) != 0 || shown == 0)
        abort();
    return 0;
}
