/* Watches: who hears what, spelt how, and what happens to those who do not listen. */
#include "store_server.h"

#include <stdlib.h>

#include "check.h"
#include "store_talk.h"

#define SAYS(d, type, text, answer) EXPECT(strcmp(talk(s, d, type, text), answer) == 0)
#define EVENT(d, text)              EXPECT(strcmp(talk_event(s, d), text) == 0)

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

TEST(first_event_and_spelling)
{
    begin(&store_limits_default);
    SAYS(one, XS_WATCH, "device|tok|", "OK|");
    EVENT(one, "device|tok|");
    EVENT(one, "");
    SAYS(one, XS_WRITE, "device/vbd/1/state|1", "OK|");
    EVENT(one, "device/vbd/1/state|tok|");
    EVENT(one, "");
    SAYS(one, XS_WATCH, "/local/domain/1/device|abs|", "OK|");
    EVENT(one, "/local/domain/1/device|abs|");
    SAYS(control, XS_WRITE, "/local/domain/1/device/x|1", "OK|");
    EVENT(one, "/local/domain/1/device/x|abs|");
    EVENT(one, "device/x|tok|");
    EVENT(one, "");
    SAYS(one, XS_WATCH, "device|tok|", "!EEXIST");
    SAYS(one, XS_WATCH, "/local/domain/1/device|tok|", "!EEXIST");
    SAYS(one, XS_UNWATCH, "device|none|", "!ENOENT");
    SAYS(one, XS_UNWATCH, "device|tok|", "OK|");
    SAYS(one, XS_WRITE, "device/x|2", "OK|");
    EVENT(one, "/local/domain/1/device/x|abs|");
    EVENT(one, "");
    end();
}

TEST(removal_reaches_below)
{
    begin(&store_limits_default);
    SAYS(one, XS_MKDIR, "a/b/c|", "OK|");
    SAYS(one, XS_WATCH, "a/b/c|low|", "OK|");
    EVENT(one, "a/b/c|low|");
    SAYS(one, XS_WATCH, "a|high|", "OK|");
    EVENT(one, "a|high|");
    SAYS(one, XS_RM, "a/b|", "OK|");
    EVENT(one, "a/b/c|low|");
    EVENT(one, "a/b|high|");
    EVENT(one, "");
    /* The watch outlives its node. */
    SAYS(one, XS_MKDIR, "a/b/c/d|", "OK|");
    EVENT(one, "a/b/c/d|low|");
    EVENT(one, "a/b/c/d|high|");
    SAYS(one, XS_MKDIR, "a/b/c/d|", "OK|");
    SAYS(one, XS_RM, "a/none|", "OK|");
    EVENT(one, "");
    end();
}

TEST(only_what_may_be_read)
{
    begin(&store_limits_default);
    SAYS(two, XS_WATCH, "/|all|", "OK|");
    EVENT(two, "/|all|");
    SAYS(one, XS_WRITE, "secret|1", "OK|");
    EVENT(two, "");
    SAYS(one, XS_SET_PERMS, "secret|r1|", "OK|");
    EVENT(two, "/local/domain/1/secret|all|");
    SAYS(one, XS_WRITE, "secret|2", "OK|");
    EVENT(two, "/local/domain/1/secret|all|");
    /* The last it hears is that it may no longer look. */
    SAYS(one, XS_SET_PERMS, "secret|n1|", "OK|");
    EVENT(two, "/local/domain/1/secret|all|");
    SAYS(one, XS_WRITE, "secret|3", "OK|");
    EVENT(two, "");
    end();
}

TEST(special_watches)
{
    begin(&store_limits_default);
    SAYS(control, XS_WATCH, "@introduceDomain|in|", "OK|");
    EVENT(control, "@introduceDomain|in|");
    SAYS(control, XS_WATCH, "@releaseDomain|out|", "OK|");
    EVENT(control, "@releaseDomain|out|");
    SAYS(one, XS_WATCH, "@releaseDomain|out|", "OK|");
    EVENT(one, "@releaseDomain|out|");
    SAYS(one, XS_WATCH, "@a b|x|", "!EINVAL");
    (void)server_introduce(s, 3, false);
    EVENT(control, "@introduceDomain|in|");
    (void)server_introduce(s, 3, false);
    EVENT(control, "");
    server_release(s, 3);
    EVENT(control, "@releaseDomain|out|");
    EVENT(one, "");
    end();
}

TEST(equal_events_are_one)
{
    begin(&store_limits_default);
    SAYS(one, XS_WATCH, "a|t|", "OK|");
    for (unsigned i = 0; i < 10; i++)
        SAYS(one, XS_WRITE, "a|1", "OK|");
    EVENT(one, "a|t|");
    EVENT(one, "");
    end();
}

TEST(who_does_not_listen_loses_events_but_learns_it)
{
    char text[32];
    unsigned events = 0;

    begin(&store_limits_default);
    SAYS(one, XS_WATCH, "d|t|", "OK|");
    SAYS(one, XS_WATCH, "d|u|", "OK|");
    for (unsigned i = 0; i < 200; i++) {
        (void)snprintf(text, sizeof(text), "d/%u|x", i);
        SAYS(one, XS_WRITE, text, "OK|");
    }
    EXPECT(server_is_consistent(s));
    for (const char *e = talk_event(s, one); *e; e = talk_event(s, one)) {
        events++;
        EXPECT(events <= 128 || strcmp(e, "d|t|") == 0 || strcmp(e, "d|u|") == 0);
    }
    EXPECT(events == 130);
    end();
}

TEST(limits_of_watches)
{
    struct store_limits limits = store_limits_default;
    char text[2100];

    limits.watches = 2;
    begin(&limits);
    SAYS(one, XS_WATCH, "a|1|", "OK|");
    SAYS(one, XS_WATCH, "a|2|", "OK|");
    SAYS(one, XS_WATCH, "a|3|", "!ENOSPC");
    SAYS(one, XS_UNWATCH, "a|1|", "OK|");
    /* The event of the removed watch is not delivered. */
    EVENT(one, "a|2|");
    EVENT(one, "");
    memset(text, 't', sizeof(text));
    memcpy(text, "a|", 2);
    strcpy(text + 2 + 1023, "|");
    SAYS(one, XS_WATCH, text, "!EINVAL");
    strcpy(text + 2 + 1022, "|");
    SAYS(one, XS_WATCH, text, "OK|");
    SAYS(one, XS_RESET_WATCHES, "|", "OK|");
    EVENT(one, "");
    SAYS(one, XS_WATCH, "a|2|", "OK|");
    EVENT(one, "a|2|");
    end();
}
