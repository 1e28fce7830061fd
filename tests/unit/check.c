#include "check.h"

#include <stdio.h>

extern const struct test *const __start_tests[], *const __stop_tests[];
static bool failed;

void check_fail(const char *file, int line, const char *what)
{
    failed = true;
    printf("# %s:%d: %s\n", file, line, what);
}

__attribute__((weak)) void check_balance(void) {}

int main(void)
{
    unsigned n = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%zu\n", (size_t)(__stop_tests - __start_tests));
    for (const struct test *const *t = __start_tests; t < __stop_tests; t++) {
        failed = false;
        (*t)->run();
        check_balance();
        printf("%s %u - %s\n", failed ? "not ok" : "ok", ++n, (*t)->name);
    }
    return 0;
}
