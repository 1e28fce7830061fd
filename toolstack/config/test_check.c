/*
 * Checks over whole hosts: every folder of cases/sets holds a host, and in
 * `expected` the messages about it and the order in which its domains start.
 * With CASES_WRITE in the environment what is missing is written.
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define SETS     CASES "/sets/"
#define TEXT_MAX 16384

static void read_file(const char *set, const char *name, char *text, size_t len)
{
    char path[512];

    (void)snprintf(path, sizeof(path), SETS "%s/%s", set, name);
    FILE *f = fopen(path, "rb");
    size_t got = f ? fread(text, 1, len - 1, f) : 0;

    text[got] = '\0';
    if (f)
        (void)fclose(f);
}

static void add_order(const struct config_set *set, char *text)
{
    struct domain_config **order = calloc(set->count + 1, sizeof(struct domain_config *));
    size_t count = config_order(set->domains, set->count, order);

    strcat(text, "start:");
    for (size_t i = 0; i < count; i++) {
        strcat(text, " ");
        strcat(text, order[i]->name);
    }
    strcat(text, "\n");
    free(order);
}

static void check_set(const char *name, const struct config_root *root, struct config_set *set,
                      struct diagnostics *list)
{
    char options[256];
    size_t before = list->count;

    read_file(name, "options", options, sizeof(options));
    struct config_limits limits = {
        .root = root,
        .iommu_required = set->host->iommu_required,
        .iommu_present = strstr(options, "iommu") != NULL,
        .incomplete = !set->complete,
    };
    const char *memory = strstr(options, "memory ");

    if (memory)
        limits.memory_bytes = strtoull(memory + 7, NULL, 10) << 20;
    int refused = config_check_set(set->domains, set->count, &limits, list);

    EXPECT(refused >= 0 && (refused > 0) == (list->count > before));
}

static void run_set(const char *name)
{
    char dir[400];
    char got[TEXT_MAX] = "";
    char expected[TEXT_MAX];
    struct diagnostics list = {0};
    struct config_set set;
    const struct config_root root = {dir, CASES "/images"};

    (void)snprintf(dir, sizeof(dir), SETS "%s", name);
    int ret = config_set_load(&root, &set, &list);

    if (ret == 0)
        check_set(name, &root, &set, &list);
    for (size_t i = 0; i < list.count; i++) {
        diagnostics_format(&list.items[i], got + strlen(got), 1024);
        strcat(got, "\n");
    }
    if (ret == 0) {
        add_order(&set, got);
        config_set_free(&set);
    }
    diagnostics_free(&list);
    read_file(name, "expected", expected, sizeof(expected));
    if (!expected[0] && getenv("CASES_WRITE")) {
        strcat(dir, "/expected");
        FILE *f = fopen(dir, "wb");

        EXPECT(f && fputs(got, f) >= 0 && fclose(f) == 0);
    } else if (strcmp(got, expected) != 0) {
        printf("# %s should hold:\n# %s\n", name, got);
        EXPECT(!"as expected");
    }
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

TEST(all_sets)
{
    struct dirent **entries = NULL;
    int count = scandir(SETS, &entries, is_visible, alphasort);

    EXPECT(count > 20);
    for (int i = 0; i < count; i++) {
        run_set(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* `create` checks one domain against those that run. */
TEST(one_domain_more)
{
    const struct config_root root = {SETS "good", CASES "/images"};
    struct config_limits limits = {.memory_bytes = 32u << 20};
    struct diagnostics list = {0};
    struct config_set set;

    EXPECT(config_set_load(&root, &set, &list) == 0 && set.count == 3);
    EXPECT(config_check_one(set.domains, 3, 0, &limits, &list) == 0);
    EXPECT(set.domains[0]->disks[0].served.backend == set.domains[1]);
    EXPECT(config_check_one(set.domains, 1, 0, &limits, &list) == 1 && list.count == 2);
    limits.memory_bytes--;
    EXPECT(config_check_one(set.domains, 3, 2, &limits, &list) == 1 && list.count == 3);
    limits.memory_bytes = 0;
    limits.iommu_required = true;
    EXPECT(config_check_one(set.domains, 3, 1, &limits, &list) == 1 && list.count == 4);
    limits.iommu_present = true;
    EXPECT(config_check_one(set.domains, 3, 1, &limits, &list) == 0 && list.count == 4);
    config_set_free(&set);
    diagnostics_free(&list);
}
