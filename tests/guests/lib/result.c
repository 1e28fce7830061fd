#include "result.h"

#include "console.h"
#include "start.h"

/* From best to worst; a guest's result is the worst of its tests'. */
enum result { RESULT_SUCCESS, RESULT_SKIP, RESULT_ERROR, RESULT_FAILURE };

static const char *const names[] = {"success", "skip", "error", "failure"};
static enum result current;

extern const struct test *const __start_tests[], *const __stop_tests[];

static void worsen(enum result to)
{
    if (current < to)
        current = to;
}

void check_fail(const char *file, int line, const char *what)
{
    console_print("# %s:%d: %s\n", file, line, what);
    worsen(RESULT_FAILURE);
}

void result_skip(const char *why)
{
    console_print("# skipped: %s\n", why);
    worsen(RESULT_SKIP);
}

void result_error(const char *what, long status)
{
    console_print("# cannot test: %s gives %ld\n", what, status);
    worsen(RESULT_ERROR);
}

/* A guest that does more than run its tests has a guest_run of its own instead. */
void guest_run(void)
{
    enum result worst = RESULT_SUCCESS;

    for (const struct test *const *test = __start_tests; test < __stop_tests; test++) {
        current = RESULT_SUCCESS;
        (*test)->run();
        console_print("test %s %s\n", (*test)->name, names[current]);
        if (worst < current)
            worst = current;
    }
    console_print("result %s\n", names[worst]);
    if (worst >= RESULT_ERROR)
        start_crash();
}
