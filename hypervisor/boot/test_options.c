#include "boot/options.h"

#include <string.h>

#include "check.h"
#include "fake_arch.h"

static struct boot_options o;

static const char *parse(const char *text)
{
    memset(&o, 0, sizeof(o));
    fake_uart_sent();
    options_parse(&o, text, false);
    EXPECT(fake_uart_sent()[0] == '\0');
    options_parse(&o, text, true);
    return fake_uart_sent();
}

TEST(defaults)
{
    EXPECT(parse("")[0] == '\0');
    EXPECT(o.control_mib == 8 && !o.headless && o.debug_exit == 0 && o.cpus == 0);
    EXPECT(o.control_cmdline[0] == '\0');
}

TEST(all_of_them)
{
    EXPECT(parse("headless debug_exit=0xf4  control_memory=32 cpus=2 -- a=b  c -- d")[0] == '\0');
    EXPECT(o.headless && o.debug_exit == 0xf4 && o.control_mib == 32 && o.cpus == 2);
    EXPECT(strcmp(o.control_cmdline, "a=b  c -- d") == 0);
}

TEST(unknown_is_said_and_skipped)
{
    const char *said = parse("quiet headless noapic=1");

    EXPECT(strstr(said, "\"quiet\"") && strstr(said, "\"noapic\"") && o.headless);
}

TEST(bad_values)
{
    EXPECT(strstr(parse("debug_exit=0x10000"), "debug_exit") && o.debug_exit == 0xf4 - 0xf4);
    EXPECT(strstr(parse("control_memory=lots"), "lots") && o.control_mib == 8);
    EXPECT(strstr(parse("control_memory=0"), "control_memory") && o.control_mib == 8);
    EXPECT(strstr(parse("cpus"), "cpus"));
    EXPECT(strstr(parse("headless=1"), "headless") && !o.headless);
    EXPECT(strstr(parse("cpus=99999999999999999999999"), "cpus"));
}

TEST(long_words_and_parts)
{
    char text[4096];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    EXPECT(strstr(parse(text), "unknown"));
    memcpy(text, "-- ", 3);
    EXPECT(strstr(parse(text), "is cut"));
    EXPECT(strlen(o.control_cmdline) == sizeof(o.control_cmdline) - 1);
}
