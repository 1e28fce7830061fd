/* The list of what is wrong with a host's files. */
#include "diagnostics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enough to see what is wrong; a file of rubbish must not fill a small domain's memory. */
#define ITEMS_MAX 256
#define TEXT_MAX  512

/* Values are quoted in messages: a message stays one line, whatever they hold. */
static void keep_one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
    }
}

void diagnostics_vadd(struct diagnostics *list, const char *file, unsigned line, const char *format,
                      va_list args)
{
    char text[TEXT_MAX];
    struct diagnostic *items = NULL;
    struct diagnostic item = {.line = line};

    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): clang 14 misses the caller's va_start */
    (void)vsnprintf(text, sizeof(text), format, args);
    keep_one_line(text);
    if (list->count < ITEMS_MAX)
        items = realloc(list->items, (list->count + 1) * sizeof(*items));
    if (items) {
        list->items = items;
        item.file = strdup(file);
        item.text = strdup(text);
    }
    if (!item.file || !item.text) {
        free(item.file);
        free(item.text);
        list->lost = true;
        return;
    }
    items[list->count++] = item;
}

void diagnostics_add(struct diagnostics *list, const char *file, unsigned line, const char *format,
                     ...)
{
    va_list args;

    va_start(args, format);
    diagnostics_vadd(list, file, line, format, args);
    va_end(args);
}

void diagnostics_format(const struct diagnostic *item, char *buffer, size_t len)
{
    (void)snprintf(buffer, len, "%s:%u: %s", item->file, item->line, item->text);
}

void diagnostics_sort(struct diagnostics *list, size_t first)
{
    for (size_t i = first; i < list->count; i++) {
        struct diagnostic item = list->items[i];
        size_t at = i;

        for (; at > first && list->items[at - 1].line > item.line; at--)
            list->items[at] = list->items[at - 1];
        list->items[at] = item;
    }
}

void diagnostics_free(struct diagnostics *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].file);
        free(list->items[i].text);
    }
    free(list->items);
    *list = (struct diagnostics){0};
}
