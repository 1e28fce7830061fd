/*
 * bulkhead-check: looks through the host described in a folder before it is
 * booted, or lists the files that its bundle needs.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config.h"
#include "source.h"

static const char usage[] =
    "usage: bulkhead-check [OPTION]... DIR\n"
    "Checks DIR/host.xml and the domains it names; says FILE:LINE of what is wrong.\n"
    "  --files        print the files to pack, one per line: xml, kernel or initrd, and the path;\n"
    "                 files that are not there are left out\n"
    "  --images DIR   the folder that stands for /bulkhead\n"
    "  --memory MIB   what the domains may use together\n"
    "  --iommu        the host has an IOMMU\n"
    "Exit status: 0 all is well, 1 something is wrong (with --files: host.xml is unusable),\n"
    "2 wrong usage.\n";

struct options {
    const char *dir;
    const char *images;
    unsigned long memory_mib;
    int files;
    int iommu;
};

static int parse_options(int argc, char **argv, struct options *options)
{
    const struct option names[] = {
        {"files", no_argument, &options->files, 1}, {"iommu", no_argument, &options->iommu, 1},
        {"images", required_argument, NULL, 'i'},   {"memory", required_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},           {0},
    };
    int option;
    char *end = NULL;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'i') {
            options->images = optarg;
        } else if (option == 'm') {
            options->memory_mib = strtoul(optarg, &end, 10);
            if (*optarg < '0' || *optarg > '9' || *end || options->memory_mib > 1ul << 40)
                return -1;
        } else if (option == 'h') {
            (void)fputs(usage, stdout);
            exit(0);
        } else if (option != 0) {
            return -1;
        }
    }
    if (optind + 1 != argc)
        return -1;
    options->dir = argv[optind];
    return 0;
}

static void print_list(const struct diagnostics *list)
{
    char text[1024];

    for (size_t i = 0; i < list->count; i++) {
        diagnostics_format(&list->items[i], text, sizeof(text));
        (void)fprintf(stderr, "%s\n", text);
    }
    if (list->lost)
        (void)fputs("bulkhead-check: there is more that is wrong\n", stderr);
}

static void print_file(const struct config_root *root, const char *kind, const char *path)
{
    if (path && source_exists(root, path))
        printf("%s %s\n", kind, path);
}

static void print_files(const struct config_root *root, const struct config_set *set)
{
    print_file(root, "xml", "/host.xml");
    /* A file with mistakes goes in as well: the control domain reports them. */
    for (size_t i = 0; i < set->host->domain_count; i++)
        print_file(root, "xml", set->host->domains[i].file);
    for (size_t i = 0; i < set->count; i++) {
        print_file(root, "kernel", set->domains[i]->kernel);
        print_file(root, "initrd", set->domains[i]->initrd);
    }
}

static void check(const struct config_root *root, const struct options *options,
                  const struct config_set *set, struct diagnostics *list)
{
    struct config_root files = *root;
    struct config_limits limits = {
        .root = &files,
        .iommu_required = set->host->iommu_required,
        .iommu_present = options->iommu != 0,
        .memory_bytes = (uint64_t)options->memory_mib << 20,
        .incomplete = !set->complete,
    };

    if (config_check_set(set->domains, set->count, &limits, list) < 0)
        list->lost = true;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct config_root root;
    struct config_set set;
    struct diagnostics list = {0};
    struct stat status;
    int failed = 1;

    if (parse_options(argc, argv, &options) < 0) {
        (void)fputs(usage, stderr);
        return 2;
    }
    root = (struct config_root){options.dir, options.images};
    if (stat(options.dir, &status) < 0 || !S_ISDIR(status.st_mode)) {
        (void)fprintf(stderr, "%s: is no folder: name one with a host.xml in it\n", options.dir);
        return 1;
    }
    if (config_set_load(&root, &set, &list) == 0) {
        if (options.files)
            print_files(&root, &set);
        else
            check(&root, &options, &set, &list);
        failed = options.files ? 0 : list.count > 0 || list.lost;
        config_set_free(&set);
    }
    print_list(&list);
    diagnostics_free(&list);
    return failed;
}
