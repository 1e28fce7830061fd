/* A network card of this domain: a port of a switch, and the hardware behind it. */
#ifndef NIC_H
#define NIC_H

#include <abi/event.h>

#include <net_port.h>
#include <pci.h>

#include "nic_in.h"
#include "nic_out.h"

#define NIC_NAME_LEN 16u
#define NIC_IRQS_MAX 3u

/*
 * How long a frame may be at the device before it is reset, and how often it is
 * looked at after that: a clock that jumps is no proof of silence.
 */
#define NIC_TIMEOUT_NS 5000000000ull
#define NIC_LOOKS      200u
#define NIC_LOOK_NS    10000000ull
/* A card from which nothing was heard for so long is asked for a sign of life. */
#define NIC_QUIET_NS   5000000000ull

struct nic_probe {
    uint8_t *page; /* the frame that goes out */
    uint64_t at;   /* when it goes unless something is heard; 0: not known yet */
    uint64_t signs, seen;
};

struct nic {
    struct net_port port; /* first, so that the one is the other */
    const struct nic_driver *driver;
    char name[NIC_NAME_LEN];
    uint8_t mac[6];
    uint16_t speed; /* Mbit/s, 0: not known */
    bool dead;      /* it did not come back from a reset */
    bool joined;    /* a bridge, which tells of its link from then on */
    uint32_t irq_count;
    struct {
        uint64_t address;
        uint32_t data;
        evtchn_port_t port;
    } messages[NIC_IRQS_MAX];
    struct nic_in in;
    struct nic_out out;
    struct nic_probe probe;
    uint64_t resets;
};

static inline struct nic *nic_of(struct net_port *port)
{
    return (struct nic *)port;
}

/* What a chip does. Frames come in by nic->in and go out by nic->out. */
struct nic_driver {
    /*
     * After nic_hardware.open, once: waits for the reset that this began, and starts the
     * device. 0, or an error after a line in the log.
     */
    int (*ready)(struct nic *n);
    /* The next frame from the wire, with one holder; NULL: there is none. */
    struct net_packet *(*take)(struct nic *n);
    /* Gives the device buffers for what was taken, and tells it once. */
    void (*refill)(struct nic *n);
    /* Puts a frame into the device's ring; false: there is no room now. */
    bool (*put)(struct nic *n, struct nic_frame *frame);
    /* Tells the device of what was put. */
    void (*kick)(struct nic *n);
    /* Ends what the device is done with, by nic_out_done; whether there was any. */
    bool (*reap)(struct nic *n);
    /* Nobody will look before the next interrupt: let there be one. False: look again first. */
    bool (*arm)(struct nic *n);
    /* Interrupt `number` of this device came. */
    void (*irq)(struct nic *n, uint32_t number);
    /*
     * Stops the device, then starts it anew with empty rings. Between both it
     * reaches no memory, and nic_forget is called. False: it does not obey.
     */
    bool (*stop)(struct nic *n);
    bool (*start)(struct nic *n);
};

/* One of the driver domain's kinds of hardware. */
struct nic_hardware {
    const char *what;
    bool (*matches)(const struct pci_function *f);
    /*
     * Takes the function and begins with its reset: what it may take for that need not be
     * waited for. 0, or an error after a line in the log; *nic is then NULL.
     */
    int (*open)(const struct pci_function *f, const char *name, struct net_batch *batch,
                struct nic **nic);
};

extern const struct nic_hardware e1000e_hardware;
extern const struct nic_hardware virtio_net_hardware;

/*
 * Memory for a card of `size` bytes, a struct nic first, with both ways made:
 * buffers of `buffer` bytes for what comes in. NULL: there is not enough.
 */
void *nic_alloc(size_t size, const char *name, const struct nic_driver *driver, uint32_t buffer,
                struct net_batch *batch);

/* So many interrupts of the device, each with its message. 0 or an error. */
int nic_irqs_open(struct nic *n, uint32_t count);
/* Which of them a port is; irq_count: none. */
uint32_t nic_irq_find(const struct nic *n, evtchn_port_t port);
/* Puts the messages into the device's table: a reset may have emptied it. */
void nic_irqs_set(const struct nic *n, struct pci_msix *msix);

/* The device is stopped: what it had is lost. */
void nic_forget(struct nic *n);

/* The cable came or went: told to the log, and to the switch by port.up. */
void nic_link_set(struct nic *n, bool up, uint16_t speed);

/* The end of a round: what waits goes out, what is done is let go of, buffers are given. */
void nic_settle(struct nic *n);

/* Before sleep and in each round: completions, time-outs. When there is something again. */
uint64_t nic_tick(struct nic *n, uint64_t now);

/* In each round: a card that is quiet gets a frame of our own. When to look again. */
uint64_t nic_probe_tick(struct nic *n, uint64_t now);

#endif
