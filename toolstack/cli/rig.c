/* The prompt without a terminal: what verbs print is kept, a line is run as if it were typed. */
#include "rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct supervise s;
struct cli cli;
void (*answer)(void);

static void say(const char *before, const char *format, va_list args)
{
    size_t len = strlen(fake_said);

    len += (size_t)snprintf(fake_said + len, sizeof(fake_said) - len, "%s", before);
    (void)vsnprintf(fake_said + len, sizeof(fake_said) - len, format, args);
}

void cli_print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say("", format, args);
    va_end(args);
}

int cli_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say("error: ", format, args);
    va_end(args);
    return -1;
}

/* Time passes only while a verb waits; back ends answer as the test says, or not. */
bool cli_wait(struct cli *c, bool (*done)(void *context), void *context, uint64_t time)
{
    (void)time;
    for (unsigned i = 0; i < 10; i++) {
        uint64_t deadline = supervise_step(c->supervise);

        if (answer)
            answer();
        if (done(context))
            return true;
        if (deadline != UINT64_MAX)
            fake_now = deadline;
    }
    return false;
}

int run(const char *text)
{
    char line[512];

    fake_said[0] = 0;
    (void)snprintf(line, sizeof(line), "%s", text);
    return cli_run(&cli, line);
}

bool says(const char *text, const char *what)
{
    bool ok = run(text) == 0;

    return ok && strstr(fake_said, what) != NULL;
}

bool errs(const char *text, const char *what)
{
    bool failed = run(text) == -1;

    return failed && strncmp(fake_said, "error: ", 7) == 0 && strstr(fake_said, what) != NULL;
}
