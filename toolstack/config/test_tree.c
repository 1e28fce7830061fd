/*
 * Every description in the tree is one that we accept: all XML files but the
 * cases, and all XML to paste in Markdown files. Domains pass libvirt's schema.
 */
#define _GNU_SOURCE /* nftw that can skip a folder */
#include "host.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/relaxng.h>

#include "check.h"

#define LIBVIRT  "/usr/share/libvirt/schemas/domain.rng"
#define TEXT_MAX (1 << 20)

static struct schema libvirt;
static unsigned domains;
static unsigned hosts;

static void expect_valid(const char *name, const char *text, size_t len)
{
    struct diagnostics list = {0};
    struct domain_config *domain = NULL;
    struct host_config *host = NULL;
    struct domain_verdict verdict;
    struct source source;
    char line[600];
    int ret = source_parse(name, text, len, &source, &list);

    if (ret == 0) {
        const char *root = (const char *)xmlDocGetRootElement(source.doc)->name;

        if (strcmp(root, "domain") == 0) {
            ret = domain_read(&source, &domain, &list, &verdict);
            EXPECT(schema_check(&libvirt, &source, &list) == 0);
            domains++;
        } else if (strcmp(root, "host") == 0) {
            ret = host_read(&source, &host, &list, &verdict);
            hosts++;
        }
        config_domain_free(domain);
        config_host_free(host);
        source_free(&source);
    }
    EXPECT(ret == 0);
    for (size_t i = 0; i < list.count; i++) {
        diagnostics_format(&list.items[i], line, sizeof(line));
        printf("# %s\n", line);
    }
    diagnostics_free(&list);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* The XML between fences, where it is a whole description. */
static void check_markdown(const char *name, const char *text)
{
    static const char fence[] = "```xml\n";

    for (const char *at = strstr(text, fence); at; at = strstr(at, fence)) {
        const char *end;

        at += strlen(fence);
        end = strstr(at, "```");
        if (end && (strncmp(at, "<domain", 7) == 0 || strncmp(at, "<host", 5) == 0))
            expect_valid(name, at, (size_t)(end - at));
    }
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    static char text[TEXT_MAX];
    const char *name = path + ftw->base;
    size_t len;

    (void)status;
    if (type == FTW_D &&
        (strcmp(name, "build") == 0 || strcmp(name, "cases") == 0 || strcmp(name, ".git") == 0))
        return FTW_SKIP_SUBTREE;
    if (type != FTW_F || !(ends_with(name, ".xml") || ends_with(name, ".md")))
        return FTW_CONTINUE;
    FILE *f = fopen(path, "rb");

    len = f ? fread(text, 1, TEXT_MAX - 1, f) : 0;
    text[len] = '\0';
    if (f)
        (void)fclose(f);
    if (ends_with(name, ".xml"))
        expect_valid(path, text, len);
    else
        check_markdown(path, text);
    return FTW_CONTINUE;
}

TEST(descriptions_in_the_tree)
{
    xmlRelaxNGParserCtxtPtr parser = xmlRelaxNGNewParserCtxt(LIBVIRT);

    libvirt.grammar = xmlRelaxNGParse(parser);
    xmlRelaxNGFreeParserCtxt(parser);
    EXPECT(libvirt.grammar || !"Debian's package libvirt0 has the schema");
    if (libvirt.grammar)
        EXPECT(nftw(TREE, visit, 20, FTW_PHYS | FTW_ACTIONRETVAL) == 0);
    schema_close(&libvirt);
    printf("# %u domains, %u hosts\n", domains, hosts);
    EXPECT(domains >= 2 && hosts >= 1);
}
