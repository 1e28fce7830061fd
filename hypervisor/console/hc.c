/* Console calls: what domains write, what is typed, who is attached, the log. */

#include <arch/clock.h>

#include "console/parts.h"
#include "domain/domain.h"
#include "event/event.h"
#include "hypercall/call.h"
#include "mm/copy.h"

#define PIECE   256u /* bytes copied at a time, on the stack */
#define PUT_MAX 4096u

static size_t piece(uint64_t left)
{
    return left < PIECE ? (size_t)left : PIECE;
}

/* Where text for a caller comes from. */
enum source { FROM_PROMPT, FROM_ATTACHED, FROM_LOG };

/* at: of the log the place, of the attached domain the session. */
static size_t take(enum source source, uint64_t *at, char *text, size_t len)
{
    LOCK_SCOPE(&console_lock);
    if (source == FROM_LOG)
        return log_get(at, text, len);
    if (source == FROM_ATTACHED && *at != input_session())
        return 0; /* what is typed now is for another domain */
    return input_take(source == FROM_ATTACHED, text, len);
}

/* Until there is no more, or no more room. The bytes given; -XEN_EFAULT. */
static int64_t give(struct hc_call *call, uint64_t to, uint64_t room, enum source source,
                    uint64_t *at)
{
    char text[PIECE];
    uint64_t done = 0;
    size_t n;

    while ((n = take(source, at, text, piece(room - done))) > 0) {
        if (copy_to_guest(call->vcpu, (gla_t){to + done}, text, n) < 0)
            return -XEN_EFAULT;
        done += n;
    }
    return (int64_t)done;
}

/*
 * How many of the next n bytes may be shown; less than n: neither may the rest
 * of the call's `left` bytes. Says how much was dropped once a flood is over.
 */
static size_t write_allowed(struct domain *d, size_t n, uint64_t left)
{
    struct console_limit *l = &d->console.limit;
    uint64_t now = clock_now();

    if (d->rights != 0)
        return n;
    lock_acquire(&console_lock);
    uint64_t dropped = limit_report(l, now);
    size_t shown = limit_take(l, now, (uint32_t)n);
    if (shown < n)
        l->dropped += left - n;
    lock_release(&console_lock);
    if (dropped)
        console_log("console: %s wrote too fast, %lu bytes were dropped", d->label, dropped);
    return shown;
}

int64_t hc_console_write(struct hc_call *call)
{
    char text[PIECE];

    while (call->arg[1] > 0) {
        size_t n = piece(call->arg[1]);
        size_t shown = write_allowed(call->domain, n, call->arg[1]);
        if (copy_from_guest(call->vcpu, text, (gla_t){call->arg[2]}, shown) < 0)
            return -XEN_EFAULT;
        console_show(call->domain->id, call->domain, text, shown, false);
        if (shown < n)
            return 0;
        call->arg[1] -= n;
        call->arg[2] += n;
        if (call->arg[1] > 0 && hc_should_stop(call))
            break;
    }
    return 0;
}

int64_t hc_console_read(struct hc_call *call)
{
    return give(call, call->arg[2], call->arg[1], FROM_PROMPT, NULL);
}

int hc_console_attach(struct hc_call *call, struct bulkhead_console_attach *arg)
{
    bool changes = arg->domid != DOMID_INVALID;
    struct domain *d = NULL;

    if (changes && arg->domid != DOMID_SELF && arg->domid != call->domain->id) {
        d = domain_get(arg->domid);
        if (!d)
            return -XEN_ESRCH;
    }
    lock_acquire(&console_lock);
    if (d)
        input_attach(d->id);
    else if (changes)
        input_detach();
    uint16_t attached = input_attached();
    lock_release(&console_lock);
    if (d)
        domain_put(d);
    arg->domid =
        attached == DOMID_INVALID ? call->domain->id : attached; /* the prompt: the caller */
    if (changes)
        event_raise_global(VIRQ_CONSOLE);
    return 0;
}

int hc_console_put(struct hc_call *call, struct bulkhead_console_put *arg)
{
    uint64_t left = arg->len, from = arg->buffer;
    char text[PIECE];
    int rc = 0;

    if (arg->len > PUT_MAX || arg->flags & ~BULKHEAD_CONSOLE_REPLAY)
        return -XEN_EINVAL;
    lock_acquire(&console_lock);
    bool attached = input_attached() == arg->domid;
    lock_release(&console_lock);
    if (!attached && (!output_headless() || arg->flags & BULKHEAD_CONSOLE_REPLAY))
        return 0; /* shown when somebody attaches */
    struct domain *d = domain_get(arg->domid);
    while (left > 0) {
        size_t n = piece(left);
        rc = copy_from_guest(call->vcpu, text, (gla_t){from}, n);
        if (rc < 0)
            break;
        console_show(arg->domid, d, text, n, attached);
        from += n;
        left -= n;
    }
    if (d)
        domain_put(d);
    return rc;
}

int hc_console_get(struct hc_call *call, struct bulkhead_console_get *arg)
{
    lock_acquire(&console_lock);
    uint64_t session = input_session();
    arg->domid = input_attached();
    lock_release(&console_lock);
    arg->session = (uint32_t)session;
    int64_t done = give(call, arg->buffer, arg->len, FROM_ATTACHED, &session);
    arg->len = (uint64_t)done;
    return done < 0 ? -XEN_EFAULT : 0;
}

int hc_control_log(struct hc_call *call, struct xen_sysctl *arg)
{
    struct xen_sysctl_readconsole *read = &arg->u.readconsole;
    uint64_t to = (uint64_t)(uintptr_t)read->buffer.p;

    if (read->clear)
        return -XEN_EINVAL; /* the log is everybody's */
    /* The index has 32 bits: it names the latest byte that it can. */
    lock_acquire(&console_lock);
    uint64_t from =
        read->incremental ? log_end() - (uint32_t)((uint32_t)log_end() - read->index) : 0;
    if (from > log_end())
        from = 0;
    lock_release(&console_lock);
    int64_t done = give(call, to, read->count, FROM_LOG, &from);
    if (done < 0)
        return -XEN_EFAULT;
    read->count = (uint32_t)done;
    read->index = (uint32_t)from;
    return 0;
}
