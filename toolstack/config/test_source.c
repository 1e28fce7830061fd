/* Reading of files: limits, what is no XML, and lines. */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* The first message for a text, "" if it is read. */
static char *message(const char *text, size_t len, char *buffer, size_t size)
{
    struct diagnostics list = {0};
    struct source source;
    int ret = source_parse("/x.xml", text, len, &source, &list);

    buffer[0] = '\0';
    EXPECT(ret == 0 || ret == -EINVAL);
    EXPECT((ret == 0) == (list.count == 0));
    if (list.count > 0)
        diagnostics_format(&list.items[0], buffer, size);
    if (ret == 0)
        source_free(&source);
    diagnostics_free(&list);
    return buffer;
}

static bool says(const char *text, const char *what)
{
    char buffer[600];

    return strstr(message(text, strlen(text), buffer, sizeof(buffer)), what) != NULL;
}

TEST(limits)
{
    char *text = calloc(1, 200000);
    char buffer[600];

    strcpy(text, "<a>");
    for (int i = 0; i < 5000; i++)
        strcpy(text + 3 + 4 * (size_t)i, "<b/>");
    EXPECT(says(text, "/x.xml:1: too many elements"));
    strcpy(text, "<a\n");
    for (int i = 0; i < 4200; i++)
        (void)sprintf(text + 3 + 10 * (size_t)i, "a%04d=''\n ", i);
    strcat(text, "/>");
    EXPECT(says(text, "too many elements and attributes"));
    memset(text, ' ', 65537);
    text[65537] = '\0';
    memcpy(text, "<a/>", 4);
    EXPECT(says(text, "/x.xml:1: larger than 64 KiB"));
    text[65536] = '\0';
    EXPECT(says(text, ""));
    EXPECT(*message(text, 65536, buffer, sizeof(buffer)) == '\0');
    EXPECT(strstr(message("<a/>\0", 5, buffer, sizeof(buffer)), "zero bytes"));
    EXPECT(strstr(message("", 0, buffer, sizeof(buffer)), "empty"));
    free(text);
}

TEST(no_document_types)
{
    EXPECT(says("<!DOCTYPE a><a/>", "DOCTYPE"));
    EXPECT(
        says("<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "x.xml:2: a DOC"));
    EXPECT(says("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "DOCTYPE"));
    EXPECT(says("<a>&b;</a>", "not defined"));
}

TEST(encodings)
{
    EXPECT(says("<a>\xff</a>", "write text in UTF-8"));
    EXPECT(says("<?xml version='1.0' encoding='UTF-16'?><a/>", ""));
    EXPECT(says("<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe4</a>", "UTF-8"));
}

static const char *const tangle = "<?a <b> ?><!-- <c>\n -- ><d> --><a x='>'\n"
                                  " xmlns:n='<'\n  n:y = \"'\n/>\"\tz='2'\n"
                                  "><![CDATA[<e>\n]]><f\n/><f g='\n\n' h=''/></a \n>\n<!---->";

TEST(lines)
{
    struct diagnostics list = {0};
    struct source source;
    char *text = strdup(tangle);

    /* Comments may not hold two dashes, nor values a '<': the tangle without those. */
    memcpy(strstr(text, "-- >"), "- - ", 4);
    *strstr(text, "'<'") = '"';
    memcpy(strstr(text, "\"<'"), "\"u\"", 3);
    EXPECT(source_parse("/x.xml", text, strlen(text), &source, &list) == 0);
    if (list.count == 0) {
        xmlNodePtr a = xmlDocGetRootElement(source.doc);
        xmlNodePtr f = xmlFirstElementChild(a);
        xmlNodePtr g = xmlNextElementSibling(f);

        EXPECT(source_line(&source, a) == 2);
        EXPECT(source_attribute_line(&source, a->properties) == 2);
        EXPECT(source_attribute_line(&source, a->properties->next) == 4);
        EXPECT(source_attribute_line(&source, a->properties->next->next) == 5);
        EXPECT(source_line(&source, f) == 7);
        EXPECT(source_line(&source, g) == 8);
        EXPECT(source_attribute_line(&source, g->properties) == 8);
        EXPECT(source_attribute_line(&source, g->properties->next) == 10);
        source_free(&source);
    }
    diagnostics_free(&list);
    free(text);
}

TEST(paths)
{
    const struct config_root root = {"/srv/host", "/build/images"};
    const struct config_root plain = {"", NULL};
    char buffer[32];

    EXPECT(source_path(&root, "/x.xml", buffer, sizeof(buffer)) == 0 &&
           strcmp(buffer, "/srv/host/x.xml") == 0);
    EXPECT(source_path(&root, "host.xml", buffer, sizeof(buffer)) == 0 &&
           strcmp(buffer, "/srv/host/host.xml") == 0);
    EXPECT(source_path(&root, "/bulkhead/a.elf", buffer, sizeof(buffer)) == 0 &&
           strcmp(buffer, "/build/images/a.elf") == 0);
    EXPECT(source_path(&plain, "/bulkhead/a.elf", buffer, sizeof(buffer)) == 0 &&
           strcmp(buffer, "/bulkhead/a.elf") == 0);
    EXPECT(source_path(&root, "/a/path/that/is/too/long", buffer, sizeof(buffer)) < 0);
}

TEST(files_that_cannot_be_read)
{
    const struct config_root root = {"/", NULL};
    struct diagnostics list = {0};
    struct source source;

    EXPECT(source_load(&root, "/no/such/file", &source, &list) == -ENOENT);
    EXPECT(list.count == 0);
    EXPECT(source_load(&root, "/proc", &source, &list) == -EINVAL);
    EXPECT(list.count == 1);
    diagnostics_free(&list);
}
