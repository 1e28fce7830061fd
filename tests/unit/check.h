/* Twenty lines of test framework: TEST registers itself, CHECK reports TAP. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

struct test {
    const char *name;
    void (*run)(void);
};

/* Run after every test; tests over the fake machine define it (weak otherwise). */
void check_balance(void);
void check_fail(const char *file, int line, const char *what);

#define TEST(id)                                                                                   \
    static void test_##id(void);                                                                   \
    static const struct test entry_##id = {#id, test_##id};                                        \
    static const struct test *const ptr_##id __attribute__((section("tests"), used)) =             \
        &entry_##id;                                                                               \
    static void test_##id(void)

#define EXPECT(x) ((x) ? (void)0 : check_fail(__FILE__, __LINE__, #x))

#endif
