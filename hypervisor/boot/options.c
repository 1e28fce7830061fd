/* The core's command line: words that set a field each, then the control domain's part. */
#include "boot/options.h"

#include "console/console.h"
#include "util/string.h"

#define WORD_MAX 64u

struct boot_options boot_options;

static const struct option {
    const char *name;
    bool takes_value; /* else it counts as 1 */
    uint32_t least, most;
    size_t field; /* in struct boot_options, a uint32_t */
} option_table[] = {
    {"headless", false, 1, 1, offsetof(struct boot_options, headless)},
    {"debug_exit", true, 0, UINT16_MAX, offsetof(struct boot_options, debug_exit)},
    {"control_memory", true, 1, 1024, offsetof(struct boot_options, control_mib)},
    {"cpus", true, 0, UINT32_MAX, offsetof(struct boot_options, cpus)},
};

/* A whole decimal or 0x number; false for anything else. */
static bool number_parse(const char *text, uint64_t *value)
{
    int base = 10;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (*text == '\0' || strlen(text) > 15)
        return false;
    for (*value = 0; *text; text++) {
        int digit = string_digit(*text);
        if (digit < 0 || digit >= base)
            return false;
        *value = *value * (uint64_t)base + (uint64_t)digit;
    }
    return true;
}

static void complain(bool aloud, const char *what, const char *word, const char *value)
{
    if (aloud)
        console_log("command line: %s \"%s%s%s\": ignored", what, word, *value ? "=" : "", value);
}

static void word_parse(struct boot_options *o, char *word, bool aloud)
{
    char *value = word;
    uint64_t number = 1;

    while (*value && *value != '=')
        value++;
    bool has_value = *value == '=';
    if (has_value)
        *value++ = '\0';
    for (unsigned i = 0; i < sizeof(option_table) / sizeof(option_table[0]); i++) {
        const struct option *option = &option_table[i];
        if (strcmp(option->name, word) != 0)
            continue;
        if (option->takes_value != has_value || (has_value && !number_parse(value, &number)) ||
            number < option->least || number > option->most)
            complain(aloud, "not possible:", word, value);
        else
            *(uint32_t *)(void *)((char *)o + option->field) = (uint32_t)number;
        return;
    }
    complain(aloud, "unknown option", word, "");
}

void options_parse(struct boot_options *o, const char *text, bool aloud)
{
    char word[WORD_MAX];

    o->control_mib = 8;
    while (*text) {
        size_t len = 0;
        while (*text == ' ')
            text++;
        while (text[len] && text[len] != ' ')
            len++;
        if (len == 2 && text[0] == '-' && text[1] == '-') {
            text += 2;
            while (*text == ' ')
                text++;
            if (aloud && strlen(text) >= sizeof(o->control_cmdline))
                console_log("command line: the control domain's part is cut");
            string_format(o->control_cmdline, sizeof(o->control_cmdline), "%s", text);
            return;
        }
        if (len > 0) {
            string_format(word, sizeof(word), "%.*s", (int)len, text);
            word_parse(o, word, aloud);
        }
        text += len;
    }
}
