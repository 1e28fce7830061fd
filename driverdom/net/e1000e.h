/* The Intel 82574L gigabit controller: registers and descriptors (its datasheet, chapters 7 and
 * 10). */
#ifndef E1000E_H
#define E1000E_H

#include "nic.h"

/* Both rings fit a page each. */
#define E1000E_DEPTH  256u
#define E1000E_BUFFER 2048u

/* Interrupt causes that are asked for; each has a message of its own. */
#define E1000E_CAUSE_RX    (1u << 20)
#define E1000E_CAUSE_TX    (1u << 22)
#define E1000E_CAUSE_OTHER (1u << 24)
#define E1000E_CAUSE_LINK  (1u << 2)
#define E1000E_VECTORS     3u

#define E1000E_IMS 0x00d0u
#define E1000E_RDT 0x2818u
#define E1000E_TDT 0x3818u

/* Extended format: an address when given to the device, a verdict when given back. */
struct e1000e_rx {
    uint64_t address;
    uint32_t status; /* 0 when given; DD makes it ours again */
    uint16_t len;
    uint16_t tag;
};
#define E1000E_RX_DONE      (1u << 0)
#define E1000E_RX_END       (1u << 1)
#define E1000E_RX_UDP_SEEN  (1u << 4)
#define E1000E_RX_L4_SEEN   (1u << 5)
#define E1000E_RX_IP_SEEN   (1u << 6)
#define E1000E_RX_ERR_FRAME (1u << 24 | 1u << 25 | 1u << 26 | 1u << 28 | 1u << 31)
#define E1000E_RX_ERR_L4    (1u << 29)
#define E1000E_RX_ERR_IP    (1u << 30)

/* A data descriptor, or a context: what the following data has in common. */
struct e1000e_tx {
    uint64_t low; /* data: the address; context: offsets */
    uint32_t command;
    uint32_t high; /* data: DD and what to insert; context: header length and segment size */
};

struct e1000e {
    struct nic nic; /* first */
    struct pci_function function;
    struct pci_msix msix;
    volatile uint8_t *registers;
    struct e1000e_rx *rx; /* shared with the device: read by shm.h alone */
    struct e1000e_tx *tx;
    uint16_t buffers[E1000E_DEPTH];         /* of each given descriptor */
    struct nic_frame *frames[E1000E_DEPTH]; /* that end at this descriptor */
    uint32_t rx_head, rx_tail, rx_told;
    uint32_t tx_head, tx_tail, tx_told;
    bool tx_reports[E1000E_DEPTH]; /* the device is asked to say when it is done with it */
    struct e1000e_tx context;      /* that the device has: an equal one is not written again */
    bool armed;                    /* the next completion interrupts */
    uint64_t rest_end;             /* of a reset: no register is touched before */
};

_Static_assert(sizeof(struct e1000e_rx) == 16, "receive descriptor");
_Static_assert(sizeof(struct e1000e_tx) == 16, "transmit descriptor");

void e1000e_write(const struct e1000e *e, uint32_t at, uint32_t value);

/* e1000e_ring.c: frames in and out. */
void e1000e_rings_reset(struct e1000e *e);
struct net_packet *e1000e_take(struct nic *n);
void e1000e_refill(struct nic *n);
bool e1000e_put(struct nic *n, struct nic_frame *frame);
void e1000e_kick(struct nic *n);
bool e1000e_reap(struct nic *n);

#endif
