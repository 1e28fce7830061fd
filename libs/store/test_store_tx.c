/* Transactions: isolation, conflicts, giving up, limits. */
#include "store_server.h"

#include <stdlib.h>

#include "check.h"
#include "store_talk.h"

#define SAYS(d, type, text, answer)   EXPECT(strcmp(talk(s, d, type, text), answer) == 0)
#define TX(d, tx, type, text, answer) EXPECT(strcmp(talk_tx(s, d, tx, type, text), answer) == 0)
#define EVENT(d, text)                EXPECT(strcmp(talk_event(s, d), text) == 0)

static struct store_server *s;
static struct store_domain *control;
static struct store_domain *one;

static void begin(const struct store_limits *limits)
{
    s = server_create(limits);
    control = server_introduce(s, 0, true);
    one = server_introduce(s, 1, false);
    SAYS(control, XS_MKDIR, "/local/domain/1|", "OK|");
    SAYS(control, XS_SET_PERMS, "/local/domain/1|n1|", "OK|");
}

static void end(void)
{
    EXPECT(server_is_consistent(s));
    server_destroy(s);
}

TEST(seen_inside_not_outside)
{
    begin(&store_limits_default);
    SAYS(one, XS_WRITE, "a|1", "OK|");
    SAYS(one, XS_TRANSACTION_START, "|", "1|");
    TX(one, 1, XS_WRITE, "a|2", "OK|");
    TX(one, 1, XS_WRITE, "d/e|5", "OK|");
    TX(one, 1, XS_READ, "a|", "2");
    TX(one, 1, XS_DIRECTORY, "d|", "e|");
    SAYS(one, XS_READ, "a|", "1");
    SAYS(one, XS_READ, "d/e|", "!ENOENT");
    SAYS(one, XS_DIRECTORY, "/local/domain/1|", "a|");
    TX(one, 1, XS_TRANSACTION_END, "T|", "OK|");
    SAYS(one, XS_READ, "a|", "2");
    SAYS(one, XS_READ, "d/e|", "5");
    SAYS(one, XS_DIRECTORY, "/local/domain/1|", "a|d|");
    TX(one, 1, XS_READ, "a|", "!ENOENT");
    TX(one, 1, XS_TRANSACTION_END, "T|", "!ENOENT");
    end();
}

TEST(given_up)
{
    begin(&store_limits_default);
    SAYS(one, XS_WRITE, "a/b|1", "OK|");
    SAYS(one, XS_TRANSACTION_START, "|", "1|");
    TX(one, 1, XS_RM, "a|", "OK|");
    TX(one, 1, XS_READ, "a/b|", "!ENOENT");
    TX(one, 1, XS_WRITE, "c|1", "OK|");
    TX(one, 1, XS_TRANSACTION_END, "X|", "!EINVAL");
    TX(one, 1, XS_TRANSACTION_END, "F|", "OK|");
    SAYS(one, XS_READ, "a/b|", "1");
    SAYS(one, XS_READ, "c|", "!ENOENT");
    SAYS(one, XS_TRANSACTION_END, "T|", "!ENOENT");
    end();
}

TEST(what_was_read_must_not_change)
{
    begin(&store_limits_default);
    SAYS(one, XS_WRITE, "a|1", "OK|");
    SAYS(one, XS_TRANSACTION_START, "|", "1|");
    TX(one, 1, XS_READ, "a|", "1");
    TX(one, 1, XS_WRITE, "b|1", "OK|");
    SAYS(control, XS_WRITE, "/local/domain/1/a|2", "OK|");
    /* It goes on seeing what it saw. */
    TX(one, 1, XS_READ, "a|", "1");
    TX(one, 1, XS_TRANSACTION_END, "T|", "!EAGAIN");
    SAYS(one, XS_READ, "b|", "!ENOENT");
    /* The number is gone: the next try is a new transaction. */
    TX(one, 1, XS_READ, "a|", "!ENOENT");
    end();
}

TEST(what_was_absent_must_stay_so)
{
    begin(&store_limits_default);
    SAYS(one, XS_TRANSACTION_START, "|", "1|");
    SAYS(one, XS_TRANSACTION_START, "|", "2|");
    TX(one, 1, XS_READ, "a|", "!ENOENT");
    TX(one, 1, XS_WRITE, "x/y|1", "OK|");
    TX(one, 2, XS_READ, "b|", "!ENOENT");
    SAYS(one, XS_WRITE, "a|1", "OK|");
    TX(one, 1, XS_TRANSACTION_END, "T|", "!EAGAIN");
    /* It asked about its home's children only through b. */
    TX(one, 2, XS_TRANSACTION_END, "T|", "!EAGAIN");
    end();
}

TEST(others_elsewhere_do_not_disturb)
{
    begin(&store_limits_default);
    SAYS(one, XS_WRITE, "mine/a|1", "OK|");
    SAYS(control, XS_WRITE, "/tool/x|1", "OK|");
    SAYS(one, XS_TRANSACTION_START, "|", "1|");
    SAYS(control, XS_TRANSACTION_START, "|", "1|");
    TX(one, 1, XS_WRITE, "mine/a|2", "OK|");
    TX(control, 1, XS_WRITE, "/tool/x|2", "OK|");
    SAYS(control, XS_WRITE, "/local/domain/1/other|x", "OK|");
    TX(one, 1, XS_TRANSACTION_END, "T|", "OK|");
    TX(control, 1, XS_TRANSACTION_END, "T|", "OK|");
    SAYS(one, XS_READ, "mine/a|", "2");
    SAYS(control, XS_READ, "/tool/x|", "2");
    end();
}

TEST(two_on_one_node)
{
    begin(&store_limits_default);
    SAYS(one, XS_WRITE, "a|0", "OK|");
    SAYS(one, XS_TRANSACTION_START, "|", "1|");
    SAYS(one, XS_TRANSACTION_START, "|", "2|");
    TX(one, 1, XS_WRITE, "a|1", "OK|");
    TX(one, 2, XS_WRITE, "a|2", "OK|");
    TX(one, 2, XS_TRANSACTION_END, "T|", "OK|");
    TX(one, 1, XS_TRANSACTION_END, "T|", "!EAGAIN");
    SAYS(one, XS_READ, "a|", "2");
    end();
}

TEST(removal_meets_creation)
{
    begin(&store_limits_default);
    SAYS(one, XS_MKDIR, "d|", "OK|");
    SAYS(one, XS_TRANSACTION_START, "|", "1|");
    TX(one, 1, XS_RM, "d|", "OK|");
    SAYS(one, XS_WRITE, "d/late|1", "OK|");
    TX(one, 1, XS_TRANSACTION_END, "T|", "!EAGAIN");
    SAYS(one, XS_READ, "d/late|", "1");
    /* Removed and made again in one. */
    SAYS(one, XS_TRANSACTION_START, "|", "2|");
    TX(one, 2, XS_RM, "d|", "OK|");
    TX(one, 2, XS_MKDIR, "d/new|", "OK|");
    TX(one, 2, XS_RM, "d/new|", "OK|");
    TX(one, 2, XS_TRANSACTION_END, "T|", "OK|");
    SAYS(one, XS_DIRECTORY, "d|", "");
    end();
}

TEST(events_come_with_the_commit)
{
    begin(&store_limits_default);
    SAYS(one, XS_WRITE, "d/gone|1", "OK|");
    SAYS(control, XS_WATCH, "/local/domain/1|t|", "OK|");
    EVENT(control, "/local/domain/1|t|");
    SAYS(control, XS_WATCH, "/local/domain/1/d/gone|u|", "OK|");
    EVENT(control, "/local/domain/1/d/gone|u|");
    SAYS(one, XS_TRANSACTION_START, "|", "1|");
    TX(one, 1, XS_WRITE, "a/b|1", "OK|");
    TX(one, 1, XS_WRITE, "a/b|2", "OK|");
    TX(one, 1, XS_RM, "d|", "OK|");
    TX(one, 1, XS_WRITE, "brief|1", "OK|");
    TX(one, 1, XS_RM, "brief|", "OK|");
    EVENT(control, "");
    TX(one, 1, XS_TRANSACTION_END, "T|", "OK|");
    EVENT(control, "/local/domain/1/a/b|t|");
    EVENT(control, "/local/domain/1/d|t|");
    EVENT(control, "/local/domain/1/d/gone|u|");
    EVENT(control, "");
    end();
}

TEST(limits_of_transactions)
{
    struct store_limits limits = store_limits_default;

    limits.transactions = 2;
    limits.transaction_nodes = 3;
    limits.nodes = 4;
    begin(&limits);
    SAYS(one, XS_WRITE, "a/b|1", "OK|");
    SAYS(one, XS_TRANSACTION_START, "|", "1|");
    TX(one, 1, XS_TRANSACTION_START, "|", "!EBUSY");
    SAYS(one, XS_TRANSACTION_START, "|", "2|");
    SAYS(one, XS_TRANSACTION_START, "|", "!ENOSPC");
    TX(one, 1, XS_READ, "a|", "");
    TX(one, 1, XS_READ, "a/b|", "1");
    TX(one, 1, XS_READ, "/local/domain/1|", "");
    TX(one, 1, XS_READ, "c|", "!ENOSPC");
    /* A removal that stops half-way spoils the transaction. */
    TX(one, 2, XS_READ, "a|", "");
    TX(one, 2, XS_READ, "x|", "!ENOENT");
    TX(one, 2, XS_RM, "a|", "!ENOSPC");
    TX(one, 2, XS_TRANSACTION_END, "T|", "!ENOSPC");
    TX(one, 1, XS_TRANSACTION_END, "T|", "OK|");
    SAYS(one, XS_READ, "a/b|", "1");
    /* The quota of nodes holds inside, and once more at the end. */
    limits.transaction_nodes = 100;
    end();
    begin(&limits);
    SAYS(one, XS_TRANSACTION_START, "|", "1|");
    TX(one, 1, XS_MKDIR, "a/b/c|", "OK|");
    TX(one, 1, XS_MKDIR, "d|", "!ENOSPC");
    SAYS(one, XS_TRANSACTION_START, "|", "2|");
    SAYS(one, XS_MKDIR, "e/f|", "OK|");
    TX(one, 1, XS_TRANSACTION_END, "T|", "!EAGAIN");
    TX(one, 2, XS_TRANSACTION_END, "T|", "OK|");
    end();
}

TEST(all_end_with_the_connection)
{
    begin(&store_limits_default);
    SAYS(one, XS_TRANSACTION_START, "|", "1|");
    TX(one, 1, XS_WRITE, "a|1", "OK|");
    SAYS(one, XS_RESET_WATCHES, "|", "OK|");
    TX(one, 1, XS_READ, "a|", "!ENOENT");
    SAYS(one, XS_TRANSACTION_START, "|", "2|");
    TX(one, 2, XS_WRITE, "a|1", "OK|");
    server_release(s, 1);
    EXPECT(server_is_consistent(s));
    end();
}

/* Domain 0 may give nodes to a domain that is not there yet, also in a transaction that fails. */
TEST(owners_to_come)
{
    begin(&store_limits_default);
    SAYS(control, XS_MKDIR, "/local/domain/5|", "OK|");
    SAYS(control, XS_TRANSACTION_START, "|", "1|");
    TX(control, 1, XS_SET_PERMS, "/local/domain/5|n5|", "OK|");
    SAYS(control, XS_WRITE, "/local/domain/5|x", "OK|");
    TX(control, 1, XS_TRANSACTION_END, "T|", "!EAGAIN");
    EXPECT(server_is_consistent(s));
    SAYS(control, XS_SET_PERMS, "/local/domain/5|n5|", "OK|");
    EXPECT(server_is_consistent(s));
    struct store_domain *five = server_introduce(s, 5, false);

    SAYS(five, XS_READ, "/local/domain/5|", "x");
    SAYS(control, XS_TRANSACTION_START, "|", "2|");
    TX(control, 2, XS_SET_PERMS, "/local/domain/5|n6|", "OK|");
    TX(control, 2, XS_TRANSACTION_END, "T|", "OK|");
    SAYS(five, XS_READ, "/local/domain/5|", "!EACCES");
    end();
}
