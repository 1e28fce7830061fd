/* Nodes and permissions of the store, in the words of the protocol. */
#include "store_server.h"

#include <stdlib.h>

#include "check.h"
#include "store_talk.h"

#define SAYS(d, type, text, answer) EXPECT(strcmp(talk(s, d, type, text), answer) == 0)

/* Domain 0, and two guests with homes of their own, as a toolstack makes them. */
static struct store_server *s;
static struct store_domain *control;
static struct store_domain *one;
static struct store_domain *two;

static void begin(const struct store_limits *limits)
{
    s = server_create(limits);
    control = server_introduce(s, 0, true);
    one = server_introduce(s, 1, false);
    two = server_introduce(s, 2, false);
    SAYS(control, XS_MKDIR, "/local/domain/1|", "OK|");
    SAYS(control, XS_SET_PERMS, "/local/domain/1|n1|", "OK|");
    SAYS(control, XS_MKDIR, "/local/domain/2|", "OK|");
    SAYS(control, XS_SET_PERMS, "/local/domain/2|n2|", "OK|");
}

static void end(void)
{
    EXPECT(server_is_consistent(s));
    server_destroy(s);
}

TEST(values_and_lists)
{
    begin(&store_limits_default);
    SAYS(one, XS_WRITE, "name|hello", "OK|");
    SAYS(one, XS_READ, "name|", "hello");
    SAYS(one, XS_READ, "/local/domain/1/name|", "hello");
    SAYS(one, XS_WRITE, "name|", "OK|");
    SAYS(one, XS_READ, "name|", "");
    SAYS(one, XS_WRITE, "device/vbd/51712/state|1", "OK|");
    SAYS(one, XS_DIRECTORY, "device|", "vbd|");
    SAYS(one, XS_DIRECTORY, "|", "!EINVAL");
    SAYS(one, XS_DIRECTORY, "/local/domain/1|", "name|device|");
    SAYS(one, XS_DIRECTORY, "name|", "");
    SAYS(one, XS_READ, "device/vbd|", "");
    SAYS(one, XS_READ, "nothing|", "!ENOENT");
    SAYS(control, XS_DIRECTORY, "/|", "local|");
    SAYS(control, XS_READ, "nothing/at/all|", "!ENOENT");
    end();
}

TEST(payloads_must_be_words)
{
    begin(&store_limits_default);
    SAYS(one, XS_READ, "name", "!EINVAL");
    SAYS(one, XS_READ, "", "!EINVAL");
    SAYS(one, XS_WRITE, "name", "!EINVAL");
    SAYS(one, XS_SET_PERMS, "name|n1", "!EINVAL");
    SAYS(one, XS_SET_PERMS, "name|", "!EINVAL");
    SAYS(one, XS_WATCH, "name|", "!EINVAL");
    SAYS(one, XS_WATCH, "name|tok", "!EINVAL");
    SAYS(one, XS_READ, "a//b|", "!EINVAL");
    SAYS(one, XS_READ, "/a.b|", "!EINVAL");
    SAYS(one, XS_WRITE, "@a|x", "!EINVAL");
    SAYS(one, XS_TYPE_COUNT, "", "!ENOSYS");
    SAYS(one, XS_CONTROL, "help|", "!ENOSYS");
    SAYS(one, XS_WATCH_EVENT, "a|b|", "!ENOSYS");
    SAYS(one, XS_ERROR, "a|", "!ENOSYS");
    end();
}

TEST(mkdir_and_rm)
{
    begin(&store_limits_default);
    SAYS(one, XS_MKDIR, "a/b/c|", "OK|");
    SAYS(one, XS_WRITE, "a|kept", "OK|");
    SAYS(one, XS_MKDIR, "a|", "OK|");
    SAYS(one, XS_READ, "a|", "kept");
    SAYS(one, XS_RM, "a/x/y|", "!ENOENT");
    SAYS(one, XS_RM, "a/x|", "OK|");
    SAYS(one, XS_WRITE, "a/d|4", "OK|");
    SAYS(one, XS_DIRECTORY, "a|", "b|d|");
    SAYS(one, XS_RM, "a/b|", "OK|");
    SAYS(one, XS_DIRECTORY, "a|", "d|");
    SAYS(one, XS_READ, "a/b/c|", "!ENOENT");
    SAYS(one, XS_RM, "a|", "OK|");
    SAYS(one, XS_DIRECTORY, "/local/domain/1|", "");
    SAYS(control, XS_RM, "/|", "!EINVAL");
    SAYS(one, XS_RM, "/|", "!EINVAL");
    SAYS(control, XS_RM, "/local|", "OK|");
    SAYS(control, XS_DIRECTORY, "/|", "");
    end();
}

TEST(strangers_are_kept_out)
{
    begin(&store_limits_default);
    SAYS(one, XS_WRITE, "key|1", "OK|");
    SAYS(two, XS_READ, "/local/domain/1/key|", "!EACCES");
    SAYS(two, XS_WRITE, "/local/domain/1/key|2", "!EACCES");
    SAYS(two, XS_RM, "/local/domain/1/key|", "!EACCES");
    SAYS(two, XS_RM, "/local/domain/1|", "!EACCES");
    SAYS(two, XS_GET_PERMS, "/local/domain/1/key|", "!EACCES");
    SAYS(two, XS_SET_PERMS, "/local/domain/1/key|b2|", "!EACCES");
    SAYS(two, XS_DIRECTORY, "/|", "!EACCES");
    SAYS(two, XS_MKDIR, "/mine|", "!EACCES");
    /* Nor do they learn whether something exists. */
    SAYS(two, XS_READ, "/local/domain/1/none|", "!EACCES");
    SAYS(two, XS_RM, "/local/domain/1/none|", "!EACCES");
    SAYS(two, XS_READ, "/local/domain/9/none|", "!EACCES");
    SAYS(two, XS_READ, "none|", "!ENOENT");
    end();
}

TEST(access_lists)
{
    begin(&store_limits_default);
    SAYS(one, XS_WRITE, "key|1", "OK|");
    SAYS(one, XS_SET_PERMS, "key|n1|r2|", "OK|");
    SAYS(two, XS_GET_PERMS, "/local/domain/1/key|", "n1|r2|");
    SAYS(two, XS_READ, "/local/domain/1/key|", "1");
    SAYS(two, XS_WRITE, "/local/domain/1/key|2", "!EACCES");
    SAYS(one, XS_SET_PERMS, "key|n1|w2|", "OK|");
    SAYS(two, XS_READ, "/local/domain/1/key|", "!EACCES");
    SAYS(two, XS_WRITE, "/local/domain/1/key|2", "OK|");
    SAYS(one, XS_SET_PERMS, "key|r1|n2|", "OK|");
    SAYS(two, XS_READ, "/local/domain/1/key|", "!EACCES");
    SAYS(one, XS_SET_PERMS, "key|b1|", "OK|");
    SAYS(two, XS_READ, "/local/domain/1/key|", "2");
    SAYS(two, XS_SET_PERMS, "/local/domain/1/key|b2|", "!EACCES");
    SAYS(one, XS_SET_PERMS, "key|b2|", "!EPERM");
    SAYS(one, XS_SET_PERMS, "key|b1|r1|r2|r3|r4|r5|", "!ENOSPC");
    SAYS(one, XS_SET_PERMS, "key|q1|", "!EINVAL");
    SAYS(control, XS_SET_PERMS, "/local/domain/1/key|n2|", "OK|");
    SAYS(one, XS_READ, "key|", "!EACCES");
    SAYS(two, XS_READ, "/local/domain/1/key|", "2");
    end();
}

TEST(new_nodes_inherit)
{
    begin(&store_limits_default);
    SAYS(one, XS_MKDIR, "open|", "OK|");
    SAYS(one, XS_SET_PERMS, "open|n1|b2|", "OK|");
    SAYS(two, XS_WRITE, "/local/domain/1/open/gift|x", "OK|");
    /* Who makes a node owns it; the list is the parent's. */
    SAYS(two, XS_GET_PERMS, "/local/domain/1/open/gift|", "n2|b2|");
    SAYS(one, XS_READ, "open/gift|", "!EACCES");
    /* The privileged domain gives it to whom the parent belongs. */
    SAYS(control, XS_WRITE, "/local/domain/1/open/a/b|y", "OK|");
    SAYS(one, XS_GET_PERMS, "open/a|", "n1|b2|");
    SAYS(one, XS_READ, "open/a/b|", "y");
    end();
}

TEST(a_device_model_acts_for_its_domain)
{
    begin(&store_limits_default);
    SAYS(one, XS_WRITE, "key|1", "OK|");
    SAYS(two, XS_SET_TARGET, "2|1|", "!EACCES");
    SAYS(control, XS_SET_TARGET, "2|0|", "!EINVAL");
    SAYS(control, XS_SET_TARGET, "2|7|", "!ENOENT");
    SAYS(control, XS_SET_TARGET, "2|1|", "OK|");
    SAYS(two, XS_WRITE, "/local/domain/1/key|2", "OK|");
    server_release(s, 1);
    one = server_introduce(s, 1, false);
    SAYS(control, XS_WRITE, "/local/domain/1/key|3", "OK|");
    SAYS(two, XS_READ, "/local/domain/1/key|", "!EACCES");
    end();
}

TEST(domains_come_and_go)
{
    begin(&store_limits_default);
    SAYS(one, XS_WRITE, "key|1", "OK|");
    SAYS(one, XS_IS_DOMAIN_INTRODUCED, "2|", "T|");
    SAYS(one, XS_IS_DOMAIN_INTRODUCED, "3|", "F|");
    SAYS(one, XS_GET_DOMAIN_PATH, "3|", "/local/domain/3|");
    SAYS(one, XS_GET_DOMAIN_PATH, "x|", "!EINVAL");
    SAYS(one, XS_GET_DOMAIN_PATH, "99999|", "!EINVAL");
    SAYS(one, XS_INTRODUCE, "3|0|5|", "!EACCES");
    SAYS(one, XS_RELEASE, "2|", "!EACCES");
    SAYS(control, XS_INTRODUCE, "3|0|5|", "OK|");
    SAYS(control, XS_INTRODUCE, "0|0|5|", "!EINVAL");
    SAYS(control, XS_INTRODUCE, "3|0|0|", "!EINVAL");
    SAYS(control, XS_INTRODUCE, "3|5|", "!EINVAL");
    SAYS(control, XS_INTRODUCE, "3|0|5|1|", "OK|");
    SAYS(control, XS_INTRODUCE, "3|0|5|2|", "!EINVAL");
    SAYS(control, XS_INTRODUCE, "3|0|5||", "!EINVAL");
    SAYS(control, XS_RELEASE, "9|", "!ENOENT");
    SAYS(control, XS_RELEASE, "0|", "!EINVAL");
    SAYS(control, XS_RELEASE, "1|", "OK|");
    SAYS(control, XS_RESUME, "1|", "OK|");
    SAYS(control, XS_RESUME, "9|", "!ENOENT");
    /* What it owned is not inherited by who gets its number. */
    server_release(s, 1);
    EXPECT(server_is_consistent(s));
    one = server_introduce(s, 1, false);
    SAYS(one, XS_READ, "key|", "!EACCES");
    SAYS(control, XS_GET_PERMS, "/local/domain/1/key|", "n0|");
    end();
}

TEST(quota_of_nodes)
{
    struct store_limits limits = store_limits_default;

    limits.nodes = 4;
    begin(&limits);
    /* Its home is the first. */
    SAYS(one, XS_MKDIR, "a|", "OK|");
    SAYS(one, XS_MKDIR, "b/c/d|", "!ENOSPC");
    SAYS(one, XS_READ, "b|", "!ENOENT");
    SAYS(one, XS_MKDIR, "b/c|", "OK|");
    SAYS(one, XS_MKDIR, "e|", "!ENOSPC");
    SAYS(one, XS_WRITE, "a|still", "OK|");
    SAYS(control, XS_MKDIR, "/local/domain/1/by-control|", "OK|");
    SAYS(one, XS_RM, "b|", "OK|");
    SAYS(one, XS_MKDIR, "e|", "OK|");
    SAYS(two, XS_MKDIR, "mine|", "OK|");
    /* Four times as many for who serves: 16, of which 4 are there. */
    server_serves(one, true);
    SAYS(one, XS_MKDIR, "f/g/h/i/j/k/l/m/n/o/p|", "OK|");
    SAYS(one, XS_MKDIR, "q/r/s|", "!ENOSPC");
    end();
}

TEST(quota_of_bytes)
{
    struct store_limits limits = store_limits_default;
    char text[STORE_PAYLOAD_MAX + 1];

    limits.domain_bytes = 8192;
    begin(&limits);
    memset(text, 'v', sizeof(text));
    memcpy(text, "a|", 2);
    text[2049] = 0;
    SAYS(one, XS_WRITE, text, "!ENOSPC");
    text[2000] = 0;
    SAYS(one, XS_WRITE, text, "OK|");
    text[0] = 'b';
    SAYS(one, XS_WRITE, text, "OK|");
    text[0] = 'c';
    SAYS(one, XS_WRITE, text, "OK|");
    text[0] = 'd';
    SAYS(one, XS_WRITE, text, "!ENOSPC");
    text[0] = 'c';
    SAYS(one, XS_WRITE, text, "OK|");
    text[0] = 'd';
    SAYS(two, XS_WRITE, text, "OK|");
    SAYS(one, XS_RM, "a|", "OK|");
    SAYS(one, XS_WRITE, text, "OK|");
    end();
}

TEST(memory_of_all_is_bounded)
{
    struct store_limits limits = store_limits_default;
    char text[64];
    unsigned made = 0;

    limits.total_bytes = 32768;
    begin(&limits);
    for (; made < 1000; made++) {
        (void)snprintf(text, sizeof(text), "n%u|0123456789", made);
        if (strcmp(talk(s, one, XS_WRITE, text), "OK|") != 0)
            break;
    }
    EXPECT(made > 50 && made < 1000);
    SAYS(two, XS_WRITE, "key|0123456789012345678901234567890123456789", "!ENOSPC");
    /* Who serves others has a part that guests cannot take. */
    server_serves(two, true);
    for (unsigned i = 0; i < 10; i++) {
        (void)snprintf(text, sizeof(text), "n%u|0123456789", i);
        SAYS(two, XS_WRITE, text, "OK|");
    }
    server_serves(two, false);
    SAYS(two, XS_WRITE, "key|0123456789012345678901234567890123456789", "!ENOSPC");
    /* There is room left for the one who can clean up. */
    SAYS(control, XS_WRITE, "/tool/note|x", "OK|");
    SAYS(control, XS_RM, "/local/domain/1|", "OK|");
    SAYS(two, XS_WRITE, "key|1", "OK|");
    EXPECT(server_bytes(s, NULL) < 4096);
    end();
}

TEST(long_lists_come_in_parts)
{
    char text[80];
    char names[1 << 16];
    size_t have = 0;
    unsigned parts = 0;

    begin(&store_limits_default);
    for (unsigned i = 0; i < 200; i++) {
        (void)snprintf(text, sizeof(text), "/list/%03u-123456789-123456789-123456789|", i);
        SAYS(control, XS_MKDIR, text, "OK|");
    }
    SAYS(control, XS_DIRECTORY, "/list|", "!E2BIG");
    SAYS(control, XS_DIRECTORY_PART, "/list|", "!EINVAL");
    for (bool more = true; more && parts < 10; parts++) {
        (void)snprintf(text, sizeof(text), "/list|%zu|", have);

        const char *answer = strchr(talk(s, control, XS_DIRECTORY_PART, text), '|') + 1;
        size_t len = strlen(answer);

        more = !(len == 1 || (len >= 2 && answer[len - 2] == '|'));
        memcpy(names + have, answer, len + 1);
        have += len - !more;
    }
    EXPECT(parts == 2 && have == 200u * 34u);
    EXPECT(memcmp(names + 34u * 199u, "199-", 4) == 0);
    SAYS(control, XS_RM, "/list|", "OK|");
    end();
}
