#include "con_hub.h"

#include <stdio.h>
#include <stdlib.h>

#include <check.h>
#include <fake_kill.h>
#include <rt/event.h>

#include "rig.h"

/* The guest writes a string and tells; false if its ring has no room for all of it. */
static bool guest_write(struct rig_guest *g, const char *text)
{
    size_t len = strlen(text);

    if (sizeof(g->page->out) - (g->page->out_prod - g->page->out_cons) < len)
        return false;
    for (size_t i = 0; i < len; i++)
        g->page->out[g->page->out_prod++ % sizeof(g->page->out)] = text[i];
    fake_enter(g->domid);
    (void)hcall_event_send(&(struct evtchn_send){.port = g->port});
    fake_enter(RIG_SERVICE);
    return true;
}

static bool is_text(const char *bytes, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(bytes, text, len) == 0;
}

static bool is_shown(const struct rig_guest *g, const char *text)
{
    return is_text(g->shown, g->shown_len, text);
}

static void attach(domid_t domid)
{
    rig.attached = domid;
    rig.session++;
    rig.hub.input = true;
}

TEST(output_is_shown)
{
    rig_start();
    EXPECT(guest_write(&rig.guests[0], "before "));
    EXPECT(con_hub_add(&rig.hub, 2, rig.guests[0].port) == 0);
    rig_run();
    EXPECT(is_shown(&rig.guests[0], "before "));
    EXPECT(guest_write(&rig.guests[0], "after"));
    rig_run();
    EXPECT(is_shown(&rig.guests[0], "before after"));
    rig_stop();
    EXPECT(fake_mappings(RIG_SERVICE) == 0);
}

TEST(the_ring_wraps)
{
    struct rig_guest *g = &rig.guests[0];

    rig_start();
    g->page->out_prod = g->page->out_cons = UINT32_MAX - 3;
    EXPECT(con_hub_add(&rig.hub, 2, g->port) == 0);
    for (int i = 0; i < 1000; i++) {
        EXPECT(guest_write(g, "0123456789"));
        rig_run();
    }
    EXPECT(g->shown_len == 10000);
    EXPECT(memcmp(g->shown + 9990, "0123456789", 10) == 0);
    rig_stop();
}

TEST(input_goes_to_the_attached_guest)
{
    struct rig_guest *g = &rig.guests[1];

    rig_start();
    EXPECT(con_hub_add(&rig.hub, 2, rig.guests[0].port) == 0);
    EXPECT(con_hub_add(&rig.hub, 3, g->port) == 0);
    attach(3);
    memcpy(rig.typed, "root\n", 5);
    rig.typed_len = 5;
    rig_run();
    EXPECT(g->page->in_prod == 5 && memcmp(g->page->in, "root\n", 5) == 0);
    EXPECT(rig.guests[0].page->in_prod == 0);
    EXPECT(fake_pending(3, g->port));
    rig_stop();
}

TEST(input_waits_for_room)
{
    struct rig_guest *g = &rig.guests[0];

    rig_start();
    EXPECT(con_hub_add(&rig.hub, 2, g->port) == 0);
    attach(2);
    g->page->in_cons = 0u - (uint32_t)sizeof(g->page->in); /* the ring is full */
    memcpy(rig.typed, "abc", 3);
    rig.typed_len = 3;
    rig_run();
    EXPECT(g->page->in_prod == 0);
    g->page->in_cons += 2;
    (void)guest_write(g, "");
    rig_run();
    EXPECT(g->page->in_prod == 2 && g->page->in[0] == 'a');
    g->page->in_cons = 0;
    (void)guest_write(g, "");
    rig_run();
    EXPECT(g->page->in_prod == 3 && g->page->in[2] == 'c');
    rig_stop();
}

TEST(a_new_session_sees_the_history_once)
{
    struct rig_guest *g = &rig.guests[0];

    rig_start();
    EXPECT(con_hub_add(&rig.hub, 2, g->port) == 0);
    EXPECT(guest_write(g, "old "));
    rig_run();
    attach(2);
    EXPECT(guest_write(g, "new "));
    rig_run();
    EXPECT(is_text(g->replayed, g->replayed_len, "old "));
    EXPECT(is_shown(g, "old new "));
    EXPECT(guest_write(g, "live"));
    rig_run();
    EXPECT(is_shown(g, "old new live"));
    rig_stop();
}

/* The session ends before its replay: what was held back for it must still be shown. */
TEST(an_early_end_loses_nothing)
{
    struct rig_guest *g = &rig.guests[0];
    char text[1001];

    rig_start();
    memset(text, 'x', 1000);
    text[1000] = 0;
    EXPECT(con_hub_add(&rig.hub, 2, g->port) == 0);
    for (int i = 0; i < 10; i++) {
        EXPECT(guest_write(g, text));
        rig_run();
    }
    attach(2);
    EXPECT(guest_write(g, "held"));
    EXPECT(con_hub_event(&rig.hub, event_next()));
    EXPECT(con_hub_turn(&rig.hub));
    attach(DOMID_INVALID);
    rig_run();
    EXPECT(g->shown_len == 10004 && memcmp(g->shown + 10000, "held", 4) == 0);
    rig_stop();
}

/* ---- the service dies ------------------------------------------------------------------------ */

#define LINES 60

/* As stubdom/console does at its start: who there is, and where, stands in the store. */
static void begin_life(void)
{
    fake_enter(RIG_SERVICE);
    con_hub_init(&rig.hub, &rig_keep);
    EXPECT(con_hub_add(&rig.hub, 2, rig.guests[0].port) == 0);
    EXPECT(con_hub_add(&rig.hub, 3, rig.guests[1].port) == 0);
}

/* A guest writes numbered lines, as much as there is room for, while a session is attached. */
static void write_lines(void)
{
    static unsigned line;
    char text[24];

    if (rig.guests[0].page->out_prod == 0)
        line = 0;
    while (line < LINES) {
        (void)snprintf(text, sizeof(text), "this is line %03u\n", line);
        if (!guest_write(&rig.guests[0], text))
            break;
        line++; /* written, whatever happens now */
        if (line == LINES / 2)
            attach(2);
        if (line % 7 == 0)
            rig_run();
    }
    rig_run();
    if (line < LINES)
        write_lines();
}

/* All lines in order; at most one turn's bytes twice, those that were shown when it died. */
static bool is_complete(const struct rig_guest *g, bool exact)
{
    char all[LINES * 17 + 1];
    size_t same = 0;

    for (unsigned i = 0; i < LINES; i++)
        (void)snprintf(all + (size_t)i * 17, 18, "this is line %03u\n", i);
    while (same < g->shown_len && same < sizeof(all) - 1 && g->shown[same] == all[same])
        same++;
    if (same == sizeof(all) - 1 && g->shown_len == same)
        return true;
    if (exact || g->shown_len < sizeof(all) - 1)
        return false;

    size_t twice = g->shown_len - (sizeof(all) - 1);

    return twice <= CON_TURN && twice <= same &&
           memcmp(g->shown + same - twice, all + same - twice, twice) == 0 &&
           memcmp(g->shown + same, all + same - twice, g->shown_len - same) == 0;
}

/* One death; true if the service lived so long. */
static bool one_death(unsigned n, bool at_call)
{
    rig_start();
    begin_life();

    bool died = fake_kill_in(write_lines, RIG_SERVICE, n, at_call);

    if (died) {
        rig_die();
        begin_life();
        rig_run();
        write_lines();
    }
    EXPECT(is_complete(&rig.guests[0], at_call));
    /* Whoever attaches now sees all of it, once. */
    rig.guests[0].replayed_len = 0;
    attach(2);
    rig_run();
    memcpy(rig.guests[0].shown, rig.guests[0].replayed, sizeof(rig.guests[0].shown));
    rig.guests[0].shown_len = rig.guests[0].replayed_len;
    EXPECT(is_complete(&rig.guests[0], true));
    rig_stop();
    return died;
}

TEST(nothing_is_lost_when_the_service_dies)
{
    unsigned calls = 0;
    unsigned stores = 0;

    while (one_death(calls, true))
        calls++;
    while (one_death(stores, false))
        stores++;
    EXPECT(calls > 8 && stores > 8);
}

/* Who was attached has seen the history; who attaches later sees that of the last life. */
TEST(a_session_goes_on)
{
    struct rig_guest *g = &rig.guests[0];

    rig_start();
    begin_life();
    EXPECT(guest_write(g, "before "));
    attach(2);
    rig_run();
    size_t replayed = g->replayed_len;

    rig_die();
    begin_life();
    EXPECT(guest_write(g, "after"));
    rig_run();
    EXPECT(g->replayed_len == replayed && is_shown(g, "before after"));
    g->replayed_len = 0;
    attach(2);
    rig_run();
    EXPECT(is_text(g->replayed, g->replayed_len, "before after"));
    rig_stop();
}

/* What is kept of a domain that went while nobody was there is nobody's history. */
TEST(nobody_inherits_a_history)
{
    struct rig_guest *g = &rig.guests[0];

    rig_start();
    begin_life();
    EXPECT(guest_write(g, "secret"));
    rig_run();
    rig_die();
    con_hub_init(&rig.hub, &rig_keep);
    con_hub_settle(&rig.hub);
    EXPECT(con_hub_add(&rig.hub, 2, g->port) == 0);
    attach(2);
    rig_run();
    EXPECT(g->replayed_len == 0);
    rig_stop();
}

TEST(history_keeps_the_end)
{
    struct con_history *h = calloc(1, sizeof(*h));
    char out[100];
    uint64_t at = 0;

    if (!h)
        abort();
    for (unsigned i = 0; i < 70000; i++)
        con_history_put(h, &"0123456789"[i % 10], 1);
    EXPECT(con_history_read(h, &at, out, 100) == 100);
    EXPECT(at == 70000 - CON_HISTORY_KEPT + 100);
    EXPECT(out[0] == '0' + (70000 - CON_HISTORY_KEPT) % 10);
    at = 69999;
    EXPECT(con_history_read(h, &at, out, 100) == 1 && out[0] == '9');
    EXPECT(con_history_read(h, &at, out, 100) == 0);
    free(h);
}

/* One guest's ring is full again each time anybody looks; the other is shown in the next turn. */
TEST(a_flood_starves_nobody)
{
    struct rig_guest *flood = &rig.guests[0];
    struct rig_guest *quiet = &rig.guests[1];

    rig_start();
    EXPECT(con_hub_add(&rig.hub, 2, flood->port) == 0);
    EXPECT(con_hub_add(&rig.hub, 3, quiet->port) == 0);
    rig_run();
    for (int i = 0; i < 10; i++) {
        size_t before = flood->shown_len;

        flood->page->out_prod = flood->page->out_cons + sizeof(flood->page->out);
        EXPECT(con_hub_event(&rig.hub, rig.hub.clients[0]->back.port));
        EXPECT(guest_write(quiet, "!"));
        EXPECT(con_hub_event(&rig.hub, rig.hub.clients[1]->back.port));
        EXPECT(con_hub_turn(&rig.hub));
        EXPECT(quiet->shown_len == (size_t)i + 1);
        EXPECT(flood->shown_len - before <= CON_TURN);
    }
    rig_stop();
}

TEST(a_broken_ring_is_told_once)
{
    struct rig_guest *g = &rig.guests[0];

    rig_start();
    EXPECT(con_hub_add(&rig.hub, 2, g->port) == 0);
    g->page->out_prod = 5000;
    unsigned lines = fake_log_count();

    rig_run();
    rig_run();
    EXPECT(fake_log_count() == lines + 1);
    EXPECT(fake_mappings(RIG_SERVICE) == 0);
    rig_stop();
}

TEST(the_last_words_are_shown)
{
    rig_start();
    EXPECT(con_hub_add(&rig.hub, 2, rig.guests[0].port) == 0);
    EXPECT(guest_write(&rig.guests[0], "power down"));
    con_hub_remove(&rig.hub, 2);
    EXPECT(is_shown(&rig.guests[0], "power down"));
    EXPECT(fake_mappings(RIG_SERVICE) == 0);
    rig_stop();
}

TEST(a_second_start_keeps_the_history)
{
    struct rig_guest *g = &rig.guests[0];

    rig_start();
    EXPECT(con_hub_add(&rig.hub, 2, g->port) == 0);
    EXPECT(guest_write(g, "first life "));
    fake_enter(2);
    evtchn_port_t port = fake_port(2, RIG_SERVICE);

    fake_enter(RIG_SERVICE);
    EXPECT(con_hub_add(&rig.hub, 2, port) == 0);
    rig_run();
    g->port = port;
    EXPECT(guest_write(g, "second"));
    attach(2);
    rig_run();
    EXPECT(is_text(g->replayed, g->replayed_len, "first life "));
    EXPECT(is_shown(g, "first life second"));
    rig_stop();
}

/* Its port has the number of the last one's, which went with its domain. */
TEST(a_domain_made_anew_under_its_number)
{
    struct rig_guest *g = &rig.guests[0];
    evtchn_port_t port;

    rig_start();
    port = g->port;
    EXPECT(con_hub_add(&rig.hub, 2, port) == 0);
    EXPECT(guest_write(g, "first life "));
    rig_run();
    fake_destroy(2);
    g->shown_len = 0;
    rig_guest_start(0);
    EXPECT(g->port == port && con_hub_add(&rig.hub, 2, port) == 0);
    EXPECT(guest_write(g, "second"));
    rig_run();
    EXPECT(is_shown(g, "second"));
    EXPECT(con_hub_add(&rig.hub, 2, port) == 0 && rig_run() == 1);
    rig_stop();
    EXPECT(fake_mappings(RIG_SERVICE) == 0);
}

TEST(what_cannot_be_shared_is_refused)
{
    rig_start();
    EXPECT(con_hub_add(&rig.hub, 2, 99) < 0);
    EXPECT(con_hub_add(&rig.hub, 6, 1) < 0);
    EXPECT(fake_mappings(RIG_SERVICE) == 0);
    con_hub_remove(&rig.hub, 6);
    rig_stop();
}
