/* Reads a domain's file: the setters of its elements, and what only the values together show. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <abi/rights.h>

#include "domain.h"
#include "elements.h"
#include "reading.h"
#include "rights.h"
#include "value.h"

/* A stock kernel keeps 2047 bytes of its command line and drops the rest without a word. */
#define CMDLINE_MAX 2047

static const struct {
    const char *name;
    uint32_t right;
} rights[] = {
    {"build", RIGHT_BUILD},     {"memory", RIGHT_MEMORY},   {"hardware", RIGHT_HARDWARE},
    {"console", RIGHT_CONSOLE}, {"prompt", RIGHT_PROMPT},   {"schedule", RIGHT_SCHEDULE},
    {"power", RIGHT_POWER},     {"inspect", RIGHT_INSPECT},
};

const char *rights_name(uint32_t right)
{
    for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++) {
        if (rights[i].right == right)
            return rights[i].name;
    }
    return NULL;
}

int reading_keep(char **field, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

void reading_check_path(struct walk *walk, const char *path, unsigned line)
{
    if (value_path_climbs(path))
        walk_refuse(walk, line, "path '%.120s' has a '.' or '..' in it: write it without", path);
}

int domain_set_name(struct walk *walk, const char *text)
{
    reading_domain(walk)->name_line = walk->line;
    return reading_keep(&reading_domain(walk)->name, text);
}

int domain_set_uuid(struct walk *walk, const char *text)
{
    reading_domain(walk)->uuid_line = walk->line;
    reading_domain(walk)->uuid_given = true;
    value_uuid(text, reading_domain(walk)->uuid);
    return 0;
}

int domain_set_title(struct walk *walk, const char *text)
{
    return reading_keep(&reading_domain(walk)->title, text);
}

int domain_set_description(struct walk *walk, const char *text)
{
    return reading_keep(&reading_domain(walk)->description, text);
}

int domain_begin_memory(struct walk *walk)
{
    reading_of(walk)->scale = value_unit("");
    return 0;
}

int domain_set_memory_unit(struct walk *walk, const char *text)
{
    reading_of(walk)->scale = value_unit(text);
    return 0;
}

static void set_size(struct walk *walk, const char *text, uint64_t *bytes)
{
    if (!value_size(strtoull(text, NULL, 10), reading_of(walk)->scale, bytes))
        walk_refuse(walk, walk->line, "no machine has so much memory: write a smaller number");
}

int domain_set_memory(struct walk *walk, const char *text)
{
    reading_domain(walk)->memory_line = walk->line;
    set_size(walk, text, &reading_domain(walk)->memory_bytes);
    return 0;
}

int domain_set_current_memory(struct walk *walk, const char *text)
{
    reading_domain(walk)->current_memory_line = walk->line;
    set_size(walk, text, &reading_domain(walk)->current_memory_bytes);
    return 0;
}

int domain_begin_vcpu(struct walk *walk)
{
    reading_domain(walk)->vcpu_line = walk->line;
    return 0;
}

int domain_set_kernel(struct walk *walk, const char *text)
{
    reading_domain(walk)->kernel_line = walk->line;
    reading_check_path(walk, text, walk->line);
    return reading_keep(&reading_domain(walk)->kernel, text);
}

int domain_set_initrd(struct walk *walk, const char *text)
{
    reading_domain(walk)->initrd_line = walk->line;
    reading_check_path(walk, text, walk->line);
    return reading_keep(&reading_domain(walk)->initrd, text);
}

int domain_set_cmdline(struct walk *walk, const char *text)
{
    if (strlen(text) > CMDLINE_MAX)
        walk_refuse(walk, walk->line, "<cmdline> of %zu bytes: write %d at most", strlen(text),
                    CMDLINE_MAX);
    return reading_keep(&reading_domain(walk)->cmdline, text);
}

static enum config_action action_of(const char *text)
{
    switch (text[0]) {
    case 'd': return CONFIG_DESTROY;
    case 'r': return CONFIG_RESTART;
    default: return CONFIG_PRESERVE;
    }
}

int domain_set_on_poweroff(struct walk *walk, const char *text)
{
    reading_domain(walk)->on_poweroff = action_of(text);
    return 0;
}

int domain_set_on_reboot(struct walk *walk, const char *text)
{
    reading_domain(walk)->on_reboot = action_of(text);
    return 0;
}

int domain_set_on_crash(struct walk *walk, const char *text)
{
    reading_domain(walk)->on_crash = action_of(text);
    return 0;
}

int domain_set_emulator(struct walk *walk, const char *text)
{
    return reading_keep(&reading_domain(walk)->emulator, text);
}

int domain_set_right(struct walk *walk, const char *text)
{
    reading_domain(walk)->rights_line = walk->line;
    for (size_t i = 0; i < sizeof(rights) / sizeof(*rights); i++) {
        if (strcmp(rights[i].name, text) == 0)
            reading_domain(walk)->rights |= rights[i].right;
    }
    return 0;
}

int domain_set_dma_limit(struct walk *walk, const char *text)
{
    reading_domain(walk)->dma_limit = value_number(text);
    reading_domain(walk)->has_dma_limit = true;
    return 0;
}

/* What one value alone does not show. */
static void check_together(struct walk *walk, struct domain_config *domain)
{
    if (domain->current_memory_bytes > domain->memory_bytes)
        walk_refuse(walk, domain->current_memory_line,
                    "<currentMemory> is more than <memory>: write %" PRIu64 " KiB at most",
                    domain->memory_bytes / 1024);
    for (size_t i = 0; i < domain->disk_count; i++) {
        const struct config_disk *disk = &domain->disks[i];

        device_check_disk(walk, disk);
        for (size_t j = 0; j < i && disk->target; j++) {
            if (domain->disks[j].target && strcmp(disk->target, domain->disks[j].target) == 0) {
                walk_refuse(walk, disk->target_line,
                            "target '%s' is taken by the disk at line %u: write another one",
                            disk->target, domain->disks[j].served.line);
                break;
            }
        }
    }
}

static void fill_in_defaults(struct domain_config *domain)
{
    if (!domain->uuid_given)
        value_uuid_of_name(domain->name, domain->uuid);
    if (domain->current_memory_bytes == 0) {
        domain->current_memory_bytes = domain->memory_bytes;
        domain->current_memory_line = domain->memory_line;
    }
    if (!domain->uuid_given)
        domain->uuid_line = domain->name_line;
    if (!domain->vcpu_line)
        domain->vcpu_line = domain->line;
    if (!domain->initrd_line)
        domain->initrd_line = domain->kernel_line;
    interface_fill_in(domain);
}

static int read_source(const struct source *source, struct domain_config *domain,
                       struct diagnostics *list, struct domain_verdict *verdict)
{
    struct reading reading = {.domain = domain};
    struct walk walk = {
        .grammar = &elements_domain, .source = source, .list = list, .out = &reading};
    int ret = walk_run(&walk);

    if (ret < 0)
        return ret;
    if (walk.wrong == 0) {
        check_together(&walk, domain);
        bridge_check(&walk, domain);
        lives_check(&walk, domain);
        ret = interface_check(&walk, domain);
        if (ret < 0)
            return ret;
    }
    verdict->wrong = walk.wrong;
    verdict->refused = walk.refused;
    verdict->seen = walk.seen;
    if (walk.wrong || walk.refused)
        return -EINVAL;
    fill_in_defaults(domain);
    return 0;
}

int domain_read(const struct source *source, struct domain_config **out, struct diagnostics *list,
                struct domain_verdict *verdict)
{
    struct domain_config *domain = calloc(1, sizeof(*domain));
    size_t first = list->count;
    int ret = -ENOMEM;

    *verdict = (struct domain_verdict){0};
    if (!domain)
        return -ENOMEM;
    domain->vcpus = 1;
    domain->on_reboot = CONFIG_RESTART;
    domain->line = source_line(source, xmlDocGetRootElement(source->doc));
    domain->file = strdup(source->file);
    if (domain->file)
        ret = read_source(source, domain, list, verdict);
    diagnostics_sort(list, first);
    if (ret < 0) {
        config_domain_free(domain);
        return ret;
    }
    *out = domain;
    return 0;
}

int domain_load(const struct config_root *root, const char *file, const struct schema *schema,
                struct domain_config **out, struct diagnostics *list)
{
    struct domain_verdict verdict;
    struct source source;
    int ret = source_load(root, file, &source, list);

    if (ret < 0)
        return ret;
    ret = domain_read(&source, out, list, &verdict);
    if (ret == 0) {
        ret = schema_check(schema, &source, list);
        if (ret < 0)
            config_domain_free(*out);
    }
    source_free(&source);
    return ret;
}

int config_domain_load(const struct config_root *root, const char *file, struct domain_config **out,
                       struct diagnostics *list)
{
    struct schema schema;
    int ret = schema_open(&schema, SCHEMA_DOMAIN);

    if (ret < 0)
        return ret;
    ret = domain_load(root, file, &schema, out, list);
    schema_close(&schema);
    return ret;
}

void config_domain_free(struct domain_config *domain)
{
    if (!domain)
        return;
    for (size_t i = 0; i < domain->disk_count; i++) {
        free(domain->disks[i].source);
        free(domain->disks[i].target);
        free(domain->disks[i].served.backend_name);
    }
    free(domain->disks);
    interface_free(domain);
    bridge_free(domain);
    free(domain->hostdevs);
    free(domain->file);
    free(domain->name);
    free(domain->title);
    free(domain->description);
    free(domain->kernel);
    free(domain->initrd);
    free(domain->cmdline);
    free(domain->emulator);
    free(domain);
}

bool config_is_image(const struct domain_config *domain)
{
    return strncmp(domain->kernel, CONFIG_IMAGES, strlen(CONFIG_IMAGES)) == 0;
}
