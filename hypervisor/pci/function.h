/* A PCI function of the host, and what its owner sees of it. Everything under pci_lock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <abi/addr.h>

#include "util/check.h"
#include "util/list.h"
#include "util/lock.h"

struct domain;

#define PCI_BARS 6u

/* Bits of the command register, and of the status register above it. */
#define COMMAND_IO          (1u << 0)
#define COMMAND_MEMORY      (1u << 1)
#define COMMAND_MASTER      (1u << 2)
#define COMMAND_INTX_OFF    (1u << 10)
#define STATUS_CAPABILITIES (1u << 20)

#define HEADER_BRIDGE   1u /* of header types */
#define HEADER_MULTIPLE (1u << 7)

/* Registers of the header. */
#define CONFIG_ID           0x00u
#define CONFIG_COMMAND      0x04u
#define CONFIG_CLASS        0x08u
#define CONFIG_HEADER       0x0cu
#define CONFIG_BAR          0x10u
#define CONFIG_BUSES        0x18u
#define CONFIG_SUBSYSTEM    0x2cu
#define CONFIG_CAPABILITIES 0x34u

struct pci_bar {
    uint64_t host;   /* machine address */
    uint64_t size;   /* 0: none that the owner gets */
    uint64_t guest;  /* where the owner put it */
    uint64_t mapped; /* where it is in the owner's memory; 0: nowhere */
    uint8_t flags;   /* the low four bits: kind, width, prefetch */
    bool wide;       /* takes two registers */
};

/* An interrupt message: what the owner asked for, and the vector that stands for it. */
struct pci_message {
    uint32_t word[3]; /* as in MSI-X tables: address low, high, data */
    bool masked;
    bool open;      /* the device's own entry is not masked, or nobody knows */
    uint8_t slot;   /* in msi.c's table of vectors */
    uint8_t vector; /* 0: none */
};

struct pci_msix {
    uint8_t capability; /* offset; 0: none */
    uint8_t bar;
    bool shut;           /* all its entries were masked since the machine's start */
    uint32_t offset;     /* of the table in the BAR */
    unsigned count;      /* entries */
    uint64_t first, end; /* the pages it lies in, in the BAR */
    volatile uint8_t
        *pages;           /* the table's pages, in the core's address space; NULL: not used yet */
    bool enabled, masked; /* as the owner has them */
};

struct pci_msi {
    uint8_t capability;
    bool wide; /* 64-bit address */
    bool enabled;
};

/* Between owners; see reset.h. */
enum reset_phase {
    RESET_NONE,  /* none, or it is over */
    RESET_DUE,   /* taken back */
    RESET_HELD,  /* in reset, or still to lose what is under way */
    RESET_WAITS, /* for the function to answer */
    RESET_LOST,  /* it does not */
};

/* How a dword of a function's configuration space is answered to its owner. */
enum config_rule {
    RULE_HIDDEN, /* reads zero */
    RULE_READ,   /* the device's own, not to be written */
    RULE_COMMAND,
    RULE_BAR,
    RULE_CAPABILITIES,
    RULE_MSI,
    RULE_MSIX,
    RULE_PCIE_DEVICE,
    RULE_POWER,
    RULES
};

/* In pci_function.next: a capability that is shown, and no other after it. */
#define NEXT_LAST 1u

struct pci_function {
    struct list all;
    struct list owned; /* in its owner's space */
    uint16_t bdf;      /* bus << 8 | device << 3 | function */
    uint32_t id;       /* configuration dwords 0 and 2 */
    uint32_t class_revision;
    bool reserved;    /* the core's: bridge or IOMMU */
    bool renamed;     /* behind, or a bridge that sends requests under another name */
    unsigned blocked; /* accesses that the IOMMU refused since its owner changed */
    struct domain *owner;

    enum reset_phase reset_phase;
    uint8_t reset_step;          /* in reset.c's table */
    bool unclean;                /* has what an earlier owner left in it */
    uint64_t ready;              /* ns: not looked at until then */
    struct pci_function *bridge; /* above it; NULL: none */

    volatile uint8_t *config;
    struct pci_bar bar[PCI_BARS];
    struct pci_msi msi;
    struct pci_msix msix;
    uint8_t pcie, power, af; /* capabilities, 0: none */
    uint16_t acs;            /* the same, of PCI Express */
    uint16_t control;        /* of PCI Express, as firmware left it */
    uint8_t first_capability;
    uint8_t rule[64]; /* by dword: enum config_rule */
    uint8_t next[64]; /* where a capability that is shown begins: the next one; 1: last */

    uint16_t command;            /* as the owner wrote it */
    bool fenced;                 /* by the IOMMU alone, until its owner switches mastering on */
    struct pci_message *message; /* those of MSI-X, then one for MSI */
    unsigned message_count;
};

/* What a domain has beside its functions. */
struct pci_space {
    struct list functions;
    uint32_t address_port; /* CF8 */
    uint64_t next_bar;     /* guest-physical, where the next BAR is placed at first */
};

extern struct lock pci_lock;
extern struct list pci_functions; /* all, in the order of bus, device, function */

/* Configuration space of the machine; size 1, 2, 4, offset a multiple of it. */
uint32_t config_read(const struct pci_function *f, unsigned offset, unsigned size);
void config_write(const struct pci_function *f, unsigned offset, unsigned size, uint32_t value);

/* Memory of a device; size 1, 2, 4, 8. */
uint64_t device_read(const volatile uint8_t *at, unsigned size);
void device_write(volatile uint8_t *at, unsigned size, uint64_t value);

/* Where configuration space of a bus is mapped; NULL: nowhere. */
volatile uint8_t *config_bus(unsigned number);

/* scan.c */
struct pci_function *function_find(uint16_t bdf);
struct pci_function *function_at(unsigned index);

/* capability.c: which dwords of the function are shown, and how. */
void capability_scan(struct pci_function *f);

/* Access control is on as far as the function has it: its peers are reached through the IOMMU. */
void capability_isolate(const struct pci_function *f);

/* space.c: the owner's view of one function; offset a multiple of 4. */
uint32_t space_read(const struct pci_function *f, unsigned offset);
void space_write(struct pci_function *f, unsigned offset, uint32_t value, uint32_t mask);
struct pci_function *space_find(const struct pci_space *space, uint16_t bdf);

/* bar.c: addresses for a new owner, and its memory after a change of BARs or command. */
void bar_place(struct pci_function *f, struct pci_space *space);
uint32_t bar_read(const struct pci_function *f, unsigned offset);
void bar_write(struct pci_function *f, unsigned offset, uint32_t value, uint32_t mask);
void bar_update(struct pci_function *f);
/* The offset in the MSI-X table's pages of an address of the owner; negative: not there. */
int64_t bar_msix_offset(const struct pci_function *f, gpa_t at);

/* msi.c */
MUST_USE int msi_open(struct pci_function *f);
void msi_close(struct pci_function *f);
uint32_t msi_read(const struct pci_function *f, unsigned offset);
void msi_write(struct pci_function *f, unsigned offset, uint32_t part, uint32_t mask);
uint32_t msix_control_read(const struct pci_function *f, unsigned offset);
void msix_control_write(struct pci_function *f, unsigned offset, uint32_t value, uint32_t mask);
/* Byte offsets in the table's pages, multiples of 4; the device's own registers may lie there too.
 */
bool msix_is_table(const struct pci_function *f, unsigned at);
uint32_t msix_table_read(const struct pci_function *f, unsigned at);
void msix_table_write(struct pci_function *f, unsigned at, uint32_t value);
