/* Words, numbers, errors, permissions and paths as they travel. */
#include "store_wire.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "store_path.h"

TEST(words_end_inside_the_payload)
{
    struct store_words words = {"one\0\0tail", 9};

    EXPECT(strcmp(store_word(&words), "one") == 0);
    EXPECT(strcmp(store_word(&words), "") == 0);
    EXPECT(store_word(&words) == NULL && words.left == 4);
    words = (struct store_words){NULL, 0};
    EXPECT(store_word(&words) == NULL);
}

TEST(numbers_are_digits_within_bounds)
{
    uint64_t n = 0;

    EXPECT(store_number("0", 0, &n) == 0 && n == 0);
    EXPECT(store_number("65535", 65535, &n) == 0 && n == 65535);
    EXPECT(store_number("65536", 65535, &n) == -XEN_EINVAL);
    EXPECT(store_number("18446744073709551615", UINT64_MAX, &n) == 0 && n == UINT64_MAX);
    EXPECT(store_number("18446744073709551616", UINT64_MAX, &n) == -XEN_EINVAL);
    EXPECT(store_number("7", 6, &n) == -XEN_EINVAL);
    EXPECT(store_number("", 9, &n) == -XEN_EINVAL);
    EXPECT(store_number("-1", 9, &n) == -XEN_EINVAL);
    EXPECT(store_number("1 ", 9, &n) == -XEN_EINVAL);
}

TEST(errors_by_name)
{
    EXPECT(strcmp(store_error_name(-XEN_ENOENT), "ENOENT") == 0);
    EXPECT(strcmp(store_error_name(-XEN_EAGAIN), "EAGAIN") == 0);
    EXPECT(strcmp(store_error_name(-9999), "EINVAL") == 0);
    EXPECT(store_error_number("E2BIG", 5) == -XEN_E2BIG);
    EXPECT(store_error_number("E2BI", 4) == -XEN_EINVAL);
    EXPECT(store_error_number("", 0) == -XEN_EINVAL);
}

TEST(permissions_there_and_back)
{
    char text[STORE_PERM_SIZE];
    struct store_perm perm;

    EXPECT(store_perm_encode(text, (struct store_perm){65535, 'r'}) == 7);
    EXPECT(strcmp(text, "r65535") == 0);
    EXPECT(store_perm_encode(text, (struct store_perm){0, 'b'}) == 3 && strcmp(text, "b0") == 0);
    EXPECT(store_perm_decode("w12", &perm) == 0 && perm.domid == 12 && perm.letter == 'w');
    EXPECT(store_perm_decode("x1", &perm) == -XEN_EINVAL);
    EXPECT(store_perm_decode("r", &perm) == -XEN_EINVAL);
    EXPECT(store_perm_decode("", &perm) == -XEN_EINVAL);
    EXPECT(store_perm_decode("r65536", &perm) == -XEN_EINVAL);
}

static bool is_path(const char *name)
{
    static struct store_path path;

    return store_path_make(&path, name, 7) == 0;
}

TEST(paths_and_their_rules)
{
    struct store_path path;

    EXPECT(store_path_make(&path, "device/vbd", 7) == 0);
    EXPECT(strcmp(path.text, "/local/domain/7/device/vbd") == 0 && path.len == 26);
    EXPECT(store_path_make(&path, "/", 7) == 0 && path.len == 1);
    EXPECT(is_path("/a/B-9_@"));
    EXPECT(!is_path(""));
    EXPECT(!is_path("/a/"));
    EXPECT(!is_path("//"));
    EXPECT(!is_path("a//b"));
    EXPECT(!is_path("/a b"));
    EXPECT(!is_path("/a.b"));
    EXPECT(!is_path("/\xc3\xa4"));
    EXPECT(!is_path("@introduceDomain"));
    EXPECT(store_path_is_special("@introduceDomain"));
    EXPECT(!store_path_is_special("introduceDomain"));
    EXPECT(!store_path_is_special("@a b"));
}

TEST(paths_and_their_lengths)
{
    char name[4000];

    memset(name, 'a', sizeof(name));
    name[2048] = 0;
    EXPECT(is_path(name));
    name[2048] = 'a';
    name[2049] = 0;
    EXPECT(!is_path(name));
    name[0] = '/';
    EXPECT(is_path(name));
    name[2049] = 'a';
    name[3072] = 0;
    EXPECT(is_path(name));
    name[3072] = 'a';
    name[3073] = 0;
    EXPECT(!is_path(name));
    /* The same below a home, spelt absolutely. */
    memcpy(name, "/local/domain/7/", 16);
    name[16 + 2048] = 0;
    EXPECT(is_path(name));
    name[16 + 2048] = 'a';
    name[16 + 2049] = 0;
    EXPECT(!is_path(name));
    for (unsigned i = 0; i < 128; i++)
        name[i] = i % 2 ? 'a' : '/';
    name[128] = 0;
    EXPECT(is_path(name));
    memcpy(name + 128, "/a", 3);
    EXPECT(!is_path(name));
}

TEST(parents)
{
    EXPECT(store_path_parent("/", 1) == 0);
    EXPECT(store_path_parent("/a", 2) == 1);
    EXPECT(store_path_parent("/a/bc", 5) == 2);
    EXPECT(strcmp(store_path_name("/a", 2), "a") == 0);
    EXPECT(strcmp(store_path_name("/a/bc", 5), "bc") == 0);
}
