/* What all cards have in common: a port of a switch, interrupts, link, silence. */
#include "nic.h"

#include <stdio.h>

#include <abi/addr.h>
#include <abi/xen.h>

#include <rt/clock.h>
#include <rt/event.h>
#include <rt/log.h>
#include <rt/memory.h>

static enum net_drop nic_send(struct net_port *port, struct net_packet *packet, struct net_tag tag)
{
    return nic_out_send(nic_of(port), packet, tag);
}

static void nic_flush(struct net_port *port)
{
    nic_out_flush(nic_of(port));
}

static void nic_done(struct net_port *port, struct net_packet *packet)
{
    nic_in_done(&nic_of(port)->in, packet);
}

static const struct net_port_driver port_driver = {
    .send = nic_send,
    .flush = nic_flush,
    .done = nic_done,
};

void *nic_alloc(size_t size, const char *name, const struct nic_driver *driver, uint32_t buffer,
                struct net_batch *batch)
{
    size_t pages = (size + PAGE_SIZE - 1) / PAGE_SIZE;
    struct nic *n = memory_pages_alloc(pages);

    if (!n)
        return NULL;
    n->port.driver = &port_driver;
    n->driver = driver;
    n->probe.page = memory_pages_alloc(1);
    (void)snprintf(n->name, sizeof(n->name), "%s", name);
    if (!n->probe.page || nic_in_open(&n->in, &n->port, buffer) < 0 ||
        nic_out_open(&n->out, batch) < 0) {
        /* What was had stays taken: the domain serves without this card, and never tries again. */
        return NULL;
    }
    return n;
}

int nic_irqs_open(struct nic *n, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int port = irq_alloc(&n->messages[i].address, &n->messages[i].data);

        if (port < 0)
            return port;
        n->messages[i].port = (evtchn_port_t)port;
    }
    n->irq_count = count;
    return 0;
}

uint32_t nic_irq_find(const struct nic *n, evtchn_port_t port)
{
    uint32_t i = 0;

    while (i < n->irq_count && n->messages[i].port != port)
        i++;
    return i;
}

void nic_irqs_set(const struct nic *n, struct pci_msix *msix)
{
    for (uint32_t i = 0; i < n->irq_count; i++)
        pci_msix_set(msix, i, n->messages[i].address, n->messages[i].data);
    pci_msix_enable(msix);
}

void nic_forget(struct nic *n)
{
    nic_in_forget(&n->in);
    nic_out_forget(n);
}

void nic_link_set(struct nic *n, bool up, uint16_t speed)
{
    if (up == n->port.up && (!up || speed == n->speed))
        return;
    n->port.up = up;
    n->speed = speed;
    /* The first look is told with the rest of what there is to say of a card. */
    if (!n->joined)
        return;
    if (!up)
        log_line("%s: no link: is a cable connected?", n->name);
    else if (speed > 0)
        log_line("%s: link up, %u Mbit/s", n->name, speed);
    else
        log_line("%s: link up", n->name);
}

void nic_settle(struct nic *n)
{
    if (n->dead)
        return;
    if (n->driver->reap(n) || n->out.waiting)
        nic_out_push(n);
    nic_out_release(n);
    n->driver->refill(n);
}

/* All that is out is lost; what comes after works again, or the card is dead. */
static void restart(struct nic *n)
{
    bool stopped = n->driver->stop(n);

    n->resets++;
    nic_forget(n);
    n->dead = !stopped || !n->driver->start(n);
    n->out.deadline = UINT64_MAX;
    if (!n->dead)
        return;
    n->port.up = false;
    log_line("%s: the card does not come back: its bridge has no outside from now on", n->name);
}

static uint64_t oldest(const struct nic_out *o)
{
    uint64_t since = UINT64_MAX;

    for (uint32_t i = 0; i < NIC_FRAMES; i++)
        if (o->frames[i].out && o->frames[i].since < since)
            since = o->frames[i].since;
    return since;
}

uint64_t nic_tick(struct nic *n, uint64_t now)
{
    struct nic_out *o = &n->out;

    if (n->dead)
        return UINT64_MAX;
    if (o->out_count > 0 && !n->port.up) {
        /* Without a link nothing goes out, and senders wait for their pages. */
        restart(n);
        return UINT64_MAX;
    }
    if (now < o->deadline)
        return o->deadline;

    uint64_t since = oldest(o);

    o->deadline = since == UINT64_MAX ? since : since + NIC_TIMEOUT_NS;
    if (now < o->deadline)
        o->looks = 0;
    else if (o->looks++ < NIC_LOOKS)
        o->deadline = now + NIC_LOOK_NS;
    if (now < o->deadline)
        return o->deadline;
    log_line("%s: frames stay in the card for more than %u s: it is reset", n->name,
             (unsigned)(NIC_TIMEOUT_NS / 1000000000u));
    restart(n);
    return UINT64_MAX;
}
