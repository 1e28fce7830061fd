/* The core's command line: words that set a field each, then the control domain's part. */
#include "boot/options.h"

#include "console/console.h"
#include "util/string.h"

#define WORD_MAX 64u

struct boot_options boot_options;

static bool set_headless(struct boot_options *o, uint64_t value)
{
    o->headless = value != 0;
    return value <= 1;
}

static bool set_debug_exit(struct boot_options *o, uint64_t value)
{
    o->debug_exit = (uint16_t)value;
    return value <= UINT16_MAX;
}

static bool set_control_memory(struct boot_options *o, uint64_t value)
{
    if (value < 1 || value > 1024)
        return false;
    o->control_mib = (unsigned)value;
    return true;
}

static bool set_cpus(struct boot_options *o, uint64_t value)
{
    o->cpus = (unsigned)value;
    return value <= UINT32_MAX;
}

static const struct option {
    const char *name;
    bool takes_value;
    bool (*set)(struct boot_options *o, uint64_t value);
} option_table[] = {
    {"headless", false, set_headless},
    {"debug_exit", true, set_debug_exit},
    {"control_memory", true, set_control_memory},
    {"cpus", true, set_cpus},
};

/* A whole decimal or 0x number; false for anything else. */
static bool number_parse(const char *text, uint64_t *value)
{
    uint64_t base = 10, v = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    if (*text == '\0' || strlen(text) > 15)
        return false;
    for (; *text; text++) {
        uint64_t digit;
        if (*text >= '0' && *text <= '9')
            digit = (uint64_t)(*text - '0');
        else if ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'f')
            digit = (uint64_t)((*text | 0x20) - 'a') + 10;
        else
            return false;
        if (digit >= base)
            return false;
        v = v * base + digit;
    }
    *value = v;
    return true;
}

static void word_parse(struct boot_options *o, char *word)
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
            !option->set(o, number))
            console_log("command line: \"%s\" cannot be \"%s\": ignored", word, value);
        return;
    }
    console_log("command line: unknown option \"%s\": ignored", word);
}

void options_parse(struct boot_options *o, const char *text)
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
            if (strlen(text) >= sizeof(o->control_cmdline))
                console_log("command line: the control domain's part is cut");
            string_format(o->control_cmdline, sizeof(o->control_cmdline), "%s", text);
            return;
        }
        if (len > 0) {
            string_format(word, sizeof(word), "%.*s", (int)len, text);
            word_parse(o, word);
        }
        text += len;
    }
}
