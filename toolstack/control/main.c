/*
 * The control domain: builds all other domains from XML and then serves a
 * prompt. It owns no device. When it dies the core begins it anew, and it finds
 * what there is by looking.
 */
#include "control.h"

#include <string.h>

#include <hcall.h>
#include <rt/clock.h>
#include <rt/event.h>
#include <rt/life.h>
#include <rt/log.h>
#include <supervise/record.h>

static const struct config_root root = {"", NULL};
static struct supervise domains = {.root = &root};
static struct cli cli = {.supervise = &domains, .root = &root};

/* A domain stopped: the core says so by an event, the loop looks which. */
static int listen_for_deaths(void)
{
    struct evtchn_bind_virq bind = {.virq = VIRQ_DOM_EXC};
    int rc = hcall_event_bind_virq(&bind);

    if (rc < 0)
        return rc;
    event_open(bind.port);
    services_listen(bind.port);
    return 0;
}

static void host_end(bool failed)
{
    struct bulkhead_host_shutdown end = {.action = BULKHEAD_HOST_POWEROFF, .status = failed};
    int rc;

    supervise_hurry(false);
    rc = hcall_host_shutdown(&end);
    supervise_say("the core refused to stop the host: %s", strerror(-rc));
}

/* So many changes are taken in a turn: a node that changes without pause must not keep us busy. */
#define EVENTS_PER_TURN 64u

/*
 * Changes below what `store watch` watches; of all others the supervision only
 * learns that there were some. It asks the store no more often than that: the
 * answer is an event, too, and would make it ask again.
 */
static void take_news(unsigned *left)
{
    const struct store_event *event;

    domains.still = !store_events_lost(domains.store);
    while (*left > 0 && (event = store_event(domains.store)) != NULL) {
        (*left)--;
        domains.still = false;
        if (cli.watching && strcmp(event->token, "user") == 0)
            cli_print("%s\n", event->path);
    }
}

uint64_t loop_settle(struct cli *c)
{
    unsigned left = EVENTS_PER_TURN;
    uint64_t deadline, due;

    /* Requests made by a step may have taken the ports' events: look until all is quiet. */
    do {
        take_news(&left);
        deadline = supervise_step(c->supervise);
    } while (left > 0 && (domains.store->first || services_heard()));
    due = term_due();
    /* Again at once, after a look at what is typed. */
    return left == 0 ? 0 : due < deadline ? due : deadline;
}

bool cli_wait(struct cli *c, bool (*done)(void *context), void *context, uint64_t time)
{
    uint64_t end = clock_now() + time;

    for (;;) {
        uint64_t deadline = loop_settle(c);

        if (done(context))
            return true;
        if (term_is_broken() || clock_now() >= end)
            return false;
        (void)event_wait(deadline < end ? deadline : end);
    }
}

static bool guests_are_gone(void)
{
    for (size_t i = 0; i < domains.count; i++)
        if (entry_is_guest(domains.entries[i]) && entry_is_active(domains.entries[i]) &&
            !domains.entries[i]->dead)
            return false;
    return true;
}

static void end_if_done(void)
{
    bool left = cli.leaving && (guests_are_gone() || clock_now() >= cli.leave_time);

    if (left || (cli.headless && supervise_is_over(&domains)))
        host_end(domains.failed);
}

/* The last life had been told to end the host. */
static void leave_again(void)
{
    cli.leaving = domains.leaving;
    if (cli.leaving)
        cli.leave_time = record_leave_time(&domains);
}

static _Noreturn void serve(void)
{
    for (;;) {
        uint64_t deadline;

        term_read();
        deadline = loop_settle(&cli);
        if (cli.leaving && cli.leave_time > 0)
            (void)cli_leave(&cli);
        end_if_done();
        term_prompt();
        if (cli.leaving && cli.leave_time < deadline)
            deadline = cli.leave_time;
        (void)event_wait(deadline);
    }
}

int main(int argc, char **argv)
{
    struct bulkhead_host_info host = {0};
    bool again = false;

    lives_begin();

    if (hcall_host_info(&host) < 0)
        log_line("the core does not say what the host has");
    cli.headless = (host.flags & BULKHEAD_HOST_HEADLESS) != 0;
    cli.iommu_present = (host.flags & BULKHEAD_HOST_IOMMU) != 0;
    if (term_open(&cli) < 0 || listen_for_deaths() < 0)
        log_line("the core gives the control domain no terminal or no word of deaths");
    if (!services_open(&domains, &again) || !host_start(&cli, again)) {
        domains.failed = true;
        if (cli.headless)
            host_end(true);
    }
    if (again) {
        lives_tell(&domains, argc, argv);
        term_find_attachment();
        leave_again();
    }
    life_stamp(LIFE_SERVES);
    serve();
}
