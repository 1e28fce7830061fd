/*
 * Every file of config/cases: NAME.xml gives NAME.json, or the messages in
 * NAME.err. With CASES_WRITE in the environment what is missing is written.
 */
#include "config_json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "host.h"

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = f ? calloc(1, 1 << 20) : NULL;

    if (text && fread(text, 1, (1 << 20) - 1, f) == 0)
        text[0] = '\0';
    if (f)
        (void)fclose(f);
    return text;
}

static char *host_json(const struct host_config *host)
{
    struct json json;

    json_init(&json);
    json_object_open(&json, NULL);
    json_bool(&json, "iommu_required", host->iommu_required);
    json_number(&json, "iommu_line", host->iommu_line);
    json_bool(&json, "faults_allowed", host->faults_allowed);
    json_number(&json, "faults_line", host->faults_line);
    json_array_open(&json, "domains");
    for (size_t i = 0; i < host->domain_count; i++) {
        json_object_open(&json, NULL);
        json_string(&json, "file", host->domains[i].file);
        json_bool(&json, "autostart", host->domains[i].autostart);
        json_number(&json, "line", host->domains[i].line);
        json_object_close(&json);
    }
    json_array_close(&json);
    json_object_close(&json);
    return json_finish(&json);
}

static char *domain_json(const struct domain_config *domain)
{
    struct json json;

    json_init(&json);
    config_json_write(&json, NULL, domain, true);
    return json_finish(&json);
}

/* The JSON of a good file, or NULL and messages. */
static char *read_case(const char *file, struct diagnostics *list)
{
    const struct config_root root = {CASES, NULL};
    struct domain_verdict verdict;
    struct domain_config *domain = NULL;
    struct host_config *host = NULL;
    struct source source;
    char *text = NULL;

    if (strncmp(file, "/host.", 6) != 0 && strncmp(file, "/host-", 6) != 0) {
        if (config_domain_load(&root, file, &domain, list) == 0)
            text = domain_json(domain);
        config_domain_free(domain);
        return text;
    }
    if (source_load(&root, file, &source, list) < 0)
        return NULL;
    if (host_read(&source, &host, list, &verdict) == 0)
        text = host_json(host);
    config_host_free(host);
    source_free(&source);
    return text;
}

static char *all_messages(const struct diagnostics *list)
{
    char *text = calloc(1, 1 << 16);
    char line[1024];

    for (size_t i = 0; text && i < list->count; i++) {
        diagnostics_format(&list->items[i], line, sizeof(line));
        strncat(text, line, (1 << 16) - strlen(text) - 2);
        strcat(text, "\n");
    }
    return text;
}

static void compare(const char *path, const char *got)
{
    char *expected = read_file(path);

    if (!expected && getenv("CASES_WRITE")) {
        FILE *f = fopen(path, "wb");

        EXPECT(f && fputs(got, f) >= 0);
        if (f)
            (void)fclose(f);
    } else if (!expected || strcmp(expected, got) != 0) {
        printf("# %s should hold:\n# %s\n", path, got);
        EXPECT(!"as expected");
    }
    free(expected);
}

static void run_case(const char *name)
{
    struct diagnostics list = {0};
    char path[512];
    char file[300];
    int stem = (int)(strlen(name) - strlen(".xml"));

    (void)snprintf(file, sizeof(file), "/%s", name);
    char *json = read_case(file, &list);
    char *messages = all_messages(&list);

    (void)snprintf(path, sizeof(path), "%s/%.*s.%s", CASES, stem, name, json ? "json" : "err");
    compare(path, json ? json : messages);
    EXPECT(json ? list.count == 0 : list.count > 0);
    free(json);
    free(messages);
    diagnostics_free(&list);
}

static int is_case(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');

    return end && strcmp(end, ".xml") == 0;
}

TEST(all_cases)
{
    struct dirent **entries = NULL;
    int count = scandir(CASES, &entries, is_case, alphasort);

    EXPECT(count > 100);
    for (int i = 0; i < count; i++) {
        run_case(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}
